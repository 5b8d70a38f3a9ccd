import type { Collection, Filter } from 'mongodb';
import { byIndex, type Index } from '../mongo/by-index.js';
import { anyTurn } from './flow-rules.js';
import { blockedJobs, heldBackJobs } from './indexes.js';
import type { JobDocument } from './job.js';
import { type ClaimFilter, claimIndex, heldBack, isDue, queuedJobs, takesNothing } from './queued-jobs.js';

/**
 * Counts the due jobs that match a worker's filter, up to `limit`. Includes jobs that must run alone, and jobs that wait
 * for their turn.
 */
export async function countDueJobs(
  jobs: Collection<JobDocument>,
  filter: ClaimFilter,
  limit: number,
): Promise<number> {
  if (takesNothing(filter)) return 0;
  const count = (index: Index, conditions: Filter<JobDocument>) =>
    byIndex(jobs, index, (hint) => jobs.countDocuments(conditions, { limit, ...hint }));
  const { inTurns = [] } = filter;
  const counts = await Promise.all([
    count(claimIndex(filter.queues), queuedJobs(filter, isDue)),
    count(heldBackJobs, queuedJobs(filter, isDue, heldBack)),
    inTurns.length > 0
      ? count(blockedJobs, queuedJobs({ ...filter, jobNames: inTurns }, {}, waitsForTurn))
      : 0,
  ]);
  return Math.min(
    limit,
    counts.reduce((sum, each) => sum + each, 0),
  );
}

/** Jobs that take turns are ready, because they start as soon as a worker is free for them. */
const waitsForTurn = { status: 'queued', blockedBy: anyTurn } as const;
