import { BSON } from 'mongodb';
import { extendedJsonOf, mapBson } from './bson-marks.js';

/**
 * The same value as one of the copy of BSON that this package has. It is made of what the value writes of itself, whichever
 * copy that is of.
 *
 * @throws TypeError, or what the value throws, for one that only says that it is of BSON
 */
export function toOwnBson(value: object): object {
  const type: unknown = Reflect.get(value, '_bsontype');
  if (Object.getPrototypeOf(value) === prototypes.get(type)) return value;
  const own = fromExtendedJson(extendedJsonOf(value));
  if (typeof own === 'object' && own !== null && Reflect.get(own, '_bsontype') === type) return own;
  throw new TypeError(`it is no ${String(type).slice(0, 100)} of BSON`);
}

/** What a value of BSON has written of itself, as a value again. */
export function fromExtendedJson(json: unknown): unknown {
  // Some hold others, such as the id in a reference, as they are.
  const value = mapBson(json, toOwnBson);
  return BSON.EJSON.deserialize({ value }, { relaxed: false }).value;
}

/** A copy of the document whose values of BSON are all of our own copy. @throws as `toOwnBson` */
export function inOwnBson(document: BSON.Document): BSON.Document {
  return Object(mapBson(document, toOwnBson));
}

/** How many bytes a document takes, also one that a driver with another copy has read. */
export function bsonSize(document: BSON.Document): number {
  return BSON.calculateObjectSize(inOwnBson(document));
}

const prototypes: ReadonlyMap<unknown, object> = new Map(
  [
    BSON.Binary,
    BSON.BSONRegExp,
    BSON.BSONSymbol,
    BSON.Code,
    BSON.DBRef,
    BSON.Decimal128,
    BSON.Double,
    BSON.Int32,
    BSON.Long,
    BSON.MaxKey,
    BSON.MinKey,
    BSON.ObjectId,
    BSON.Timestamp,
  ].map(({ prototype }) => [prototype._bsontype, prototype]),
);
