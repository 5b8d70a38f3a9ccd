import { BSON } from 'mongodb';
import { extendedJsonOf, mapBson } from './bson-marks.js';

/**
 * Converts a BSON value of any copy to this package's copy, through its extended JSON.
 *
 * @throws TypeError, or errors of the value, if it only pretends to be BSON
 */
export function toOwnBson(value: object): object {
  const type: unknown = Reflect.get(value, '_bsontype');
  if (Object.getPrototypeOf(value) === prototypes.get(type)) return value;
  const own = fromExtendedJson(extendedJsonOf(value));
  if (typeof own === 'object' && own !== null && Reflect.get(own, '_bsontype') === type) return own;
  throw new TypeError(`it is no ${String(type).slice(0, 100)} of BSON`);
}

/** Converts the extended JSON of a BSON value back to the value. */
export function fromExtendedJson(json: unknown): unknown {
  // Some values contain other BSON values unconverted, such as the id in a DBRef.
  const value = mapBson(json, toOwnBson);
  return BSON.EJSON.deserialize({ value }, { relaxed: false }).value;
}

/** Returns a copy of a document, with BSON values of this package's own BSON library. @throws as in `toOwnBson` */
export function inOwnBson(document: BSON.Document): BSON.Document {
  return Object(mapBson(document, toOwnBson));
}

/** Returns the size of a document in bytes. The driver that read the document may use another copy of BSON. */
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
