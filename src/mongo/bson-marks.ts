/*
 * Recognizes BSON values, such as an ObjectId, by their marks. A project may hold several copies of the `bson` package, and
 * each refuses values of another major version. So no code checks the class of a value. This file loads no copy, since a thread
 * of a subprocess needs none.
 */

/** Marks that give the type of a BSON value and the major version of its package. They are the same in all copies. */
export const BSON_TYPE = Symbol.for('@@mdb.bson.type');
export const BSON_VERSION = Symbol.for('@@mdb.bson.version');

/**
 * Returns whether a value is an instance of a BSON class. Parsed JSON cannot pose as one, because its `_bsontype` is an
 * own property.
 */
export function isBsonValue(value: object): boolean {
  return '_bsontype' in value && !Object.hasOwn(value, '_bsontype');
}

/** Returns a BSON value's extended JSON, or undefined for any other value. @throws errors of the value */
export function extendedJsonOf(value: object): unknown {
  if (!isBsonValue(value) || !('toExtendedJSON' in value)) return undefined;
  const { toExtendedJSON } = value;
  return typeof toExtendedJSON === 'function' ? toExtendedJSON.call(value, { relaxed: false }) : undefined;
}

/**
 * Copies lists and plain objects, and replaces the BSON values in them. Keeps everything else in them as it is, such as a
 * session.
 */
export function mapBson(value: unknown, change: (bsonValue: object) => object): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mapBson(item, change));
  if (isBsonValue(value)) return change(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapBson(item, change)]));
}
