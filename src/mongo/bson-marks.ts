/*
 * By what a value of BSON, such as an ObjectId, tells what it is. A project may hold several copies of the `bson` package,
 * and each refuses the values of a copy of another major version: so it is never asked of which class a value is. Loads no
 * copy itself: a thread of a subprocess does without.
 */

/** By these a value tells of which type, and of which major version of the package, it is: the same in all copies. */
export const BSON_TYPE = Symbol.for('@@mdb.bson.type');
export const BSON_VERSION = Symbol.for('@@mdb.bson.version');

/** An instance of a class of BSON's. Parsed JSON cannot pose as one: there `_bsontype` is an own property. */
export function isBsonValue(value: object): boolean {
  return '_bsontype' in value && !Object.hasOwn(value, '_bsontype');
}

/** What a value of BSON writes of itself; undefined for what is none. @throws what the value throws */
export function extendedJsonOf(value: object): unknown {
  if (!isBsonValue(value) || !('toExtendedJSON' in value)) return undefined;
  const { toExtendedJSON } = value;
  return typeof toExtendedJSON === 'function' ? toExtendedJSON.call(value, { relaxed: false }) : undefined;
}

/** A copy of lists and plain objects, with other values of BSON. What else is in them, such as a session, stays as it is. */
export function mapBson(value: unknown, change: (bsonValue: object) => object): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mapBson(item, change));
  if (isBsonValue(value)) return change(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapBson(item, change)]));
}
