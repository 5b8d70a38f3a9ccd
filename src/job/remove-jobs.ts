import type { Collection } from 'mongodb';
import type { JobDocument, SettledStatus } from './job.js';

/** How many jobs were removed, per status asked for. */
export type RemovedCounts = Partial<Record<SettledStatus, number>>;

/**
 * Removes settled jobs of the given statuses, or only those that settled at least `olderThanMs` ago by the
 * database's clock.
 *
 * A job that a scheduler item made may be removed like any other once its occurrence was due: the job and its item's
 * advance are one transaction (fire-due-items.ts), and no item goes back to what was due (withdraw-jobs.ts). One that
 * was made ahead, and settled before its time, stays until then: the item may come to that occurrence again.
 */
export async function removeJobs(
  jobs: Collection<JobDocument>,
  statuses: readonly SettledStatus[],
  olderThanMs?: number,
): Promise<RemovedCounts> {
  const counts: RemovedCounts = {};
  const isAhead = { $gt: ['$occurrence.at', '$$NOW'] };
  const isOld = { $lte: ['$completed', { $subtract: ['$$NOW', olderThanMs ?? 0] }] };
  const $expr = olderThanMs === undefined ? { $not: isAhead } : { $and: [{ $not: isAhead }, isOld] };
  for (const status of new Set(statuses)) {
    counts[status] = (await jobs.deleteMany({ status, $expr })).deletedCount;
  }
  return counts;
}
