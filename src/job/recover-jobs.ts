import type { Collection } from 'mongodb';
import { endLostAttempt } from './end-attempt.js';
import type { JobDocument } from './job.js';

/**
 * Ends the attempts whose leases have expired by the database's clock: their workers crashed, hang, or cannot
 * reach the database. Each job goes back to the queue, or to `error` when its attempts are used up, or to
 * `cancelled` when that was asked for. May run anywhere, any number of times at once.
 *
 * @returns how many attempts it ended
 */
export async function recoverJobs(jobs: Collection<JobDocument>): Promise<number> {
  const { modifiedCount } = await jobs.updateMany(
    { status: 'processing', $expr: { $lte: ['$lease.expires', '$$NOW'] } },
    endLostAttempt(),
  );
  return modifiedCount;
}
