import type { Collection, Filter } from 'mongodb';
import { byIndex, type Index } from '../mongo/by-index.js';
import { heldBackJobs } from './indexes.js';
import type { JobDocument } from './job.js';
import { type ClaimFilter, claimIndex, heldBack, isDue, queuedJobs, takesNothing } from './queued-jobs.js';

/** Counts the due jobs that match a worker's filter, up to `limit`, including jobs that must run alone. */
export async function countDueJobs(
  jobs: Collection<JobDocument>,
  filter: ClaimFilter,
  limit: number,
): Promise<number> {
  if (takesNothing(filter)) return 0;
  const count = (index: Index, conditions: Filter<JobDocument>) =>
    byIndex(jobs, index, (hint) => jobs.countDocuments(conditions, { limit, ...hint }));
  const [claimable, alone] = await Promise.all([
    count(claimIndex(filter.queues), queuedJobs(filter, isDue)),
    count(heldBackJobs, queuedJobs(filter, isDue, heldBack)),
  ]);
  return Math.min(limit, claimable + alone);
}
