import type { Collection, Filter } from 'mongodb';
import type { JobDocument } from './job.js';
import { findLongestWaiting } from './longest-waiting.js';
import { anyPriority, type ClaimFilter, claimIndex, claimOrder, isDue } from './queued-jobs.js';

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
 * Mostly one command, since most jobs have the lowest priority; never more than there are priorities, 10, and one more
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
  const oldest: WaitingJob[] = [];
  let below = Number.POSITIVE_INFINITY;
  while (below > 0 && openQueues?.length !== 0) {
    const first = await findLongest(jobs, below, openQueues);
    if (first === undefined) break;
    const { _id: id, jobName, queue } = first;
    const claimable = jobNames.includes(jobName) && (queues?.includes(queue) ?? true);
    oldest.push({ id, jobName, queue, priority: first.priority, waitedMs: first.waitedMs, claimable });
    below = first.priority;
  }
  return oldest;
}

/** The one that waits longest among the due jobs of the highest priority below this. */
function findLongest(jobs: Collection<JobDocument>, below: number, openQueues?: readonly string[]) {
  const due: Filter<JobDocument> = {
    status: 'queued',
    ...(openQueues && { queue: { $in: [...openQueues] } }),
    priority: { ...anyPriority, $lt: below },
    ...isDue,
  };
  return findLongestWaiting(jobs, claimIndex(openQueues), due, claimOrder, ({ priority }) => ({ priority }));
}
