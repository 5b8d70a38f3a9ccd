import type { Collection, Document } from 'mongodb';
import { BSON_TYPE, BSON_VERSION, mapBson } from './bson-marks.js';
import { toOwnBson } from './own-bson.js';

/**
 * Returns a collection whose driver uses another copy of BSON. Each copy refuses the other's values. So the methods' arguments
 * are copied, with values that the driver accepts. That makes each job slightly more expensive.
 *
 * @param major major version of the driver's copy
 */
export function inTheirBson<Schema extends Document>(
  collection: Collection<Schema>,
  major: number | undefined,
): Collection<Schema> {
  const toTheirs = (value: object) => posingAs(major, toOwnBson(value));
  return new Proxy(collection, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...given: unknown[]) =>
        Reflect.apply(
          method,
          target,
          given.map((value) => mapBson(value, toTheirs)),
        );
    },
  });
}

/**
 * Returns a copy of our value with the marks of another copy of BSON. All copies use the same fields and methods, and
 * differ only in the marks.
 */
function posingAs(major: number | undefined, own: object): object {
  const told = { [BSON_TYPE]: { value: Reflect.get(own, '_bsontype') }, [BSON_VERSION]: { value: major } };
  return Object.create(own, told);
}
