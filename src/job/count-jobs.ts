import type { Collection, Filter } from 'mongodb';
import { byIndex, type Index } from '../mongo/by-index.js';
import { byCreated, byUnsuccessful, claimableJobs, heldBackJobs, leaseExpiry } from './indexes.js';
import type { JobDocument, JobStatus } from './job.js';
import { anyPriority, heldBack, isClaimable } from './queued-jobs.js';

/** Counting stops here: it costs about a microsecond a job, and nobody reads the digits of more. */
const MAX_COUNTED = 10_000;

/** So many jobs may be looked at to count those that no index knows: some ten milliseconds. */
const MAX_LOOKED_AT = 5_000;

/** How many there are: exactly, or at least so many. */
export interface CappedCount {
  /** At most 10,000. */
  readonly count: number;
  /** Whether there are more. */
  readonly isCapped: boolean;
}

/** The count of each status. */
export type JobCounts = Readonly<Record<JobStatus, CappedCount>>;

/**
 * How many jobs have each status. Six commands, of which five read keys of indexes, and no document.
 *
 * No index knows the completed jobs, which are most: one would cost two writes a job. They are those that remain of the
 * number of documents, which MongoDB keeps, and which may be a little off for as long as it recovers from a crash. When the
 * others are too many to be counted, it is told how many of the oldest jobs are completed, as "at least so many".
 */
export async function countJobs(jobs: Collection<JobDocument>): Promise<JobCounts> {
  const [queued, processing, cancelled, error, total] = await Promise.all([
    countQueued(jobs),
    countCapped(jobs, leaseExpiry, { status: 'processing', 'lease.expires': { $gt: new Date(0) } }),
    countCapped(jobs, byUnsuccessful, { status: 'cancelled' }),
    countCapped(jobs, byUnsuccessful, { status: 'error' }),
    jobs.estimatedDocumentCount(),
  ]);
  const others = [queued, processing, cancelled, error];
  const completed = others.some(({ isCapped }) => isCapped)
    ? { count: await countOldestCompleted(jobs), isCapped: true }
    : capped(others.reduce((rest, { count }) => rest - count, total));
  return { queued, processing, cancelled, completed, error };
}

async function countQueued(jobs: Collection<JobDocument>): Promise<CappedCount> {
  const [claimable, alone] = await Promise.all([
    countCapped(jobs, claimableJobs, { ...isClaimable, priority: anyPriority }),
    countCapped(jobs, heldBackJobs, { ...heldBack, priority: anyPriority }),
  ]);
  return alone.count === 0 ? claimable : capped(claimable.count + Number(claimable.isCapped) + alone.count);
}

/** How many jobs meet these conditions, which this index should serve. */
export async function countCapped(
  jobs: Collection<JobDocument>,
  index: Index,
  conditions: Filter<JobDocument>,
): Promise<CappedCount> {
  const limit = MAX_COUNTED + 1;
  return capped(await byIndex(jobs, index, (hint) => jobs.countDocuments(conditions, { limit, ...hint })));
}

/** Jobs that are settled are older than most that are not. */
async function countOldestCompleted(jobs: Collection<JobDocument>): Promise<number> {
  const oldest = [
    { $match: { created: { $gt: new Date(0) } } },
    { $sort: { created: 1 } },
    { $limit: MAX_LOOKED_AT },
    { $match: { status: 'completed' } },
    { $count: 'count' },
  ];
  const [found] = await byIndex(jobs, byCreated, (hint) =>
    jobs.aggregate<{ readonly count: number }>(oldest, hint).toArray(),
  );
  return found?.count ?? 0;
}

function capped(count: number): CappedCount {
  return { count: Math.min(Math.max(count, 0), MAX_COUNTED), isCapped: count > MAX_COUNTED };
}
