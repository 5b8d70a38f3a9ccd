import type { Db } from 'mongodb';
import { limitReads } from '../../../src/mongo/limit-reads.js';

const LIMIT = 1000;

/** How many running jobs have a lease that expired at least so long ago by the database's clock: counted up to 1000. */
export async function countExpiredLeases(db: Db, sinceMs: number): Promise<number> {
  const filter = {
    status: 'processing',
    $expr: { $lte: ['$lease.expires', { $subtract: ['$$NOW', sinceMs] }] },
  };
  return limitReads(db.collection('jobs')).countDocuments(filter, { limit: LIMIT });
}
