import type { Collection, Document } from 'mongodb';
import { BSON_TYPE, BSON_VERSION, mapBson } from './bson-marks.js';
import { toOwnBson } from './own-bson.js';

/**
 * Returns a collection of a driver whose copy of BSON is not ours. Each copy refuses the other's values. So arguments of
 * its methods are copied, with values that it takes for its own. A job costs a little more there.
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
 * Returns our value with the marks of another copy. All copies read the same fields and call the same methods, and differ
 * only in the marks.
 */
function posingAs(major: number | undefined, own: object): object {
  const told = { [BSON_TYPE]: { value: Reflect.get(own, '_bsontype') }, [BSON_VERSION]: { value: major } };
  return Object.create(own, told);
}
