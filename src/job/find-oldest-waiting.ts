import type { Collection, Filter } from 'mongodb';
import { heldBackJobs } from './indexes.js';
import type { JobDocument } from './job.js';
import { findLongestWaiting, type Waiting } from './longest-waiting.js';
import {
  anyPriority,
  type ClaimFilter,
  claimIndex,
  claimOrder,
  heldBack,
  isClaimable,
  isDue,
} from './queued-jobs.js';

/** A job that is due and that no worker has claimed yet. */
export interface WaitingJob {
  readonly id: string;
  readonly jobName: string;
  readonly queue: string;
  readonly priority: number;
  /** Since it is due and in the queue, in milliseconds, by the database's clock. */
  readonly waitedMs: number;
  /** Whether this processor takes such jobs, by their name and their queue. */
  readonly claimable: boolean;
}

/**
 * Of each priority in which a job is due, the one that waits longest; the highest priority first.
 *
 * Claims go through a priority in the order of `runAt`. So a job that nobody claims comes to stand at the head of its own,
 * and is seen here, however many wait behind it. One that was added with a moment that had passed waits from when it was
 * added: 100 of those are looked through.
 *
 * Mostly two commands, since most jobs have the lowest priority; never more than there are priorities, 10, one for those that are to run alone, and one more
 * for each whose first was added late. Each reads
 * one key of the claim index, and one more for each priority whose jobs are all delayed; of each queue, when they are named.
 *
 * @param openQueues the queues whose jobs count; all when absent. What is paused does not wait for a worker
 */
export async function findOldestWaiting(
  jobs: Collection<JobDocument>,
  { jobNames, queues }: ClaimFilter,
  openQueues?: readonly string[],
): Promise<WaitingJob[]> {
  const oldest: Waiting[] = [];
  let below = Number.POSITIVE_INFINITY;
  while (below > 0 && openQueues?.length !== 0) {
    const first = await findLongest(jobs, below, openQueues);
    if (first === undefined) break;
    oldest.push(first);
    below = first.priority;
  }
  const alone = await findLongestAlone(jobs, openQueues);
  return (alone ? longestOfEach([...oldest, alone]) : oldest).map(
    ({ _id: id, jobName, queue, priority, waitedMs }) => {
      const claimable = jobNames.includes(jobName) && (queues?.includes(queue) ?? true);
      return { id, jobName, queue, priority, waitedMs, claimable };
    },
  );
}

/** Of each priority the one that waits longest. */
function longestOfEach(jobs: readonly Waiting[]): Waiting[] {
  const isLongest = (job: Waiting) =>
    jobs.every(({ priority, waitedMs }) => priority !== job.priority || waitedMs <= job.waitedMs);
  return jobs.filter(isLongest).sort((one, other) => other.priority - one.priority);
}

/** The first of those that are to run alone. */
async function findLongestAlone(
  jobs: Collection<JobDocument>,
  openQueues?: readonly string[],
): Promise<Waiting | undefined> {
  if (openQueues?.length === 0) return undefined;
  const due: Filter<JobDocument> = {
    ...heldBack,
    ...(openQueues && { queue: { $in: [...openQueues] } }),
    priority: anyPriority,
    ...isDue,
  };
  return findLongestWaiting(jobs, heldBackJobs, due, claimOrder);
}

/** The one that waits longest among the due jobs of the highest priority below this. */
function findLongest(jobs: Collection<JobDocument>, below: number, openQueues?: readonly string[]) {
  const due: Filter<JobDocument> = {
    ...isClaimable,
    ...(openQueues && { queue: { $in: [...openQueues] } }),
    priority: { ...anyPriority, $lt: below },
    ...isDue,
  };
  return findLongestWaiting(jobs, claimIndex(openQueues), due, claimOrder, ({ priority }) => ({ priority }));
}
