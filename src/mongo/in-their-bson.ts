import type { Collection, Document } from 'mongodb';
import { BSON_TYPE, BSON_VERSION, mapBson } from './bson-marks.js';
import { toOwnBson } from './own-bson.js';

/**
 * The collection of a driver with another copy of BSON than ours: it refuses our values, as we refuse its. What is given to
 * its methods is copied, with values that it takes for its own. So a job costs a little more there.
 *
 * @param major the version of its copy
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

/** All copies read the same fields of a value, and call the same methods: they differ in what it has to tell of itself. */
function posingAs(major: number | undefined, own: object): object {
  const told = { [BSON_TYPE]: { value: Reflect.get(own, '_bsontype') }, [BSON_VERSION]: { value: major } };
  return Object.create(own, told);
}
