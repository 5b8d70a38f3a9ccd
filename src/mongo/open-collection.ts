import type { Collection, CollectionOptions, Db, Document } from 'mongodb';
import { driverOf } from './driver-of.js';
import { inTheirBson } from './in-their-bson.js';
import { limitReads } from './limit-reads.js';

/**
 * Overrides the settings of the given Db. A write counts only once a majority has it. Otherwise a failover could undo it
 * (invariant 1). Reads that decide something use the primary.
 */
const durable: CollectionOptions = {
  writeConcern: { w: 'majority' },
  readPreference: 'primary',
  readConcern: { level: 'local' },
};

/** Opens a collection with the read and write concerns that the invariants need, and a time limit for reads. */
export function openCollection<Schema extends Document>(db: Db, name: string): Collection<Schema> {
  const { major, sharesBson } = driverOf(db);
  const collection = db.collection<Schema>(name, durable);
  return limitReads(sharesBson ? collection : inTheirBson(collection, major));
}
