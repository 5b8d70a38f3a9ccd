import type { Collection } from 'mongodb';
import type { JobDocument, SettledStatus } from './job.js';

/** How many jobs were removed, per status asked for. */
export type RemovedCounts = Partial<Record<SettledStatus, number>>;

/**
 * Removes settled jobs of the given statuses, or only those that settled at least `olderThanMs` ago by the
 * database's clock.
 *
 * A job that a scheduler item made may be removed like any other: the job and its item's advance are one
 * transaction (fire-due-items.ts), so no item can still be about to make it again.
 */
export async function removeJobs(
  jobs: Collection<JobDocument>,
  statuses: readonly SettledStatus[],
  olderThanMs?: number,
): Promise<RemovedCounts> {
  const counts: RemovedCounts = {};
  const age =
    olderThanMs === undefined
      ? {}
      : { $expr: { $lte: ['$completed', { $subtract: ['$$NOW', olderThanMs] }] } };
  for (const status of new Set(statuses)) {
    counts[status] = (await jobs.deleteMany({ status, ...age })).deletedCount;
  }
  return counts;
}
