import type { Collections } from '../../../src/collections/collections.js';
import { anyMoment } from '../../../src/mongo/any-moment.js';

const LIMIT = 1000;

/** Counts, up to 1000, the running jobs whose lease expired at least `sinceMs` ago by the database's clock. */
export async function countExpiredLeases(jobs: Collections['jobs'], sinceMs: number): Promise<number> {
  const filter = {
    status: 'processing' as const,
    'lease.expires': anyMoment,
    $expr: { $lte: ['$lease.expires', { $subtract: ['$$NOW', sinceMs] }] },
  };
  return jobs.countDocuments(filter, { limit: LIMIT });
}
