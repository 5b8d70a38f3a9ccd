import type { Collection, Filter } from 'mongodb';
import { byIndex, type Index } from '../mongo/by-index.js';
import {
  blockedJobs,
  byCreated,
  byEnd,
  claimableJobs,
  heldBackJobs,
  heldJobs,
  leaseExpiry,
} from './indexes.js';
import type { JobDocument, JobStatus } from './job.js';
import { anyPriority, heldBack, isClaimable } from './queued-jobs.js';

/**
 * Maximum number to count exactly. Counting costs about a microsecond per job, and nobody needs a larger exact number.
 */
const MAX_COUNTED = 10_000;

/** Maximum number of jobs read to count a status without an index. Takes some ten milliseconds. */
const MAX_LOOKED_AT = 5_000;

/** A count that is exact up to a limit. */
export interface CappedCount {
  /** Number of jobs, at most 10,000. */
  readonly count: number;
  /** Whether there are more jobs than `count`. */
  readonly isCapped: boolean;
}

/** The count of each status. */
export type JobCounts = Readonly<Record<JobStatus, CappedCount>>;

/**
 * Counts the jobs of each status. Takes eight commands, of which seven read index keys and no documents.
 *
 * No index holds completed jobs, because it would cost two more writes per job, and most jobs are completed. The number of
 * completed jobs is the total minus all other jobs. MongoDB keeps the total, which may be slightly off after a crash. If
 * the other jobs are too many to count, the result is a lower bound: the number of completed jobs among the oldest.
 */
export async function countJobs(jobs: Collection<JobDocument>): Promise<JobCounts> {
  const [unfinished, total] = await Promise.all([countUnfinished(jobs), jobs.estimatedDocumentCount()]);
  const others = Object.values(unfinished);
  const completed = others.some(({ isCapped }) => isCapped)
    ? { count: await countOldestCompleted(jobs), isCapped: true }
    : capped(others.reduce((rest, { count }) => rest - count, total));
  const { queued, processing, cancelled, error } = unfinished;
  return { queued, processing, cancelled, completed, error };
}

/** The counts of jobs that are not completed. */
export type UnfinishedCounts = Omit<JobCounts, 'completed'>;

/** Counts the jobs of each status except completed ones, up to a maximum. Takes seven commands, which read index keys. */
export async function countUnfinished(
  jobs: Collection<JobDocument>,
  maximum = MAX_COUNTED,
): Promise<UnfinishedCounts> {
  const count = (index: Index, conditions: Filter<JobDocument>) =>
    countUpTo(jobs, index, conditions, maximum);
  const isRunning = { status: 'processing', 'lease.expires': { $gt: new Date(0) } } as const;
  const [processing, cancelled, error, claimable, ...others] = await Promise.all([
    count(leaseExpiry, isRunning),
    count(byEnd, { status: 'cancelled' }),
    count(byEnd, { status: 'error' }),
    count(claimableJobs, { ...isClaimable, priority: anyPriority }),
    count(heldBackJobs, { ...heldBack, priority: anyPriority }),
    count(blockedJobs, isBlocked),
    count(heldJobs, { status: 'queued', 'waitsFor.on': { $gt: '' } }),
  ]);
  const more = others.reduce((sum, one) => sum + one.count, 0);
  const queued =
    more === 0 ? claimable : capped(claimable.count + Number(claimable.isCapped) + more, maximum);
  return { queued, processing, cancelled, error };
}

const isBlocked = { status: 'queued', blockedBy: { $gt: '' } } as const;

/** Counts the jobs that wait for a place in a limit. */
export function countBlocked(jobs: Collection<JobDocument>): Promise<CappedCount> {
  return countCapped(jobs, blockedJobs, isBlocked);
}

/** Counts the jobs that match conditions, using this index. */
export async function countCapped(
  jobs: Collection<JobDocument>,
  index: Index,
  conditions: Filter<JobDocument>,
): Promise<CappedCount> {
  return countUpTo(jobs, index, conditions, MAX_COUNTED);
}

/** Counts as `countCapped` does, up to another number. */
export async function countUpTo(
  jobs: Collection<JobDocument>,
  index: Index,
  conditions: Filter<JobDocument>,
  maximum: number,
): Promise<CappedCount> {
  const limit = maximum + 1;
  const count = await byIndex(jobs, index, (hint) => jobs.countDocuments(conditions, { limit, ...hint }));
  return { count: Math.min(count, maximum), isCapped: count > maximum };
}

/** Counts completed jobs among the oldest jobs, most of which are settled. */
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

function capped(count: number, maximum = MAX_COUNTED): CappedCount {
  return { count: Math.min(Math.max(count, 0), maximum), isCapped: count > maximum };
}
