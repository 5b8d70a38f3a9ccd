import type { Collection, Filter } from 'mongodb';
import { byIndex } from '../mongo/by-index.js';
import type { JobDocument } from './job.js';
import { anyPriority, type ClaimFilter, claimIndex, claimOrder, isDue } from './queued-jobs.js';

/** A job that is due and that no worker has claimed yet. */
export interface WaitingJob {
  readonly id: string;
  readonly jobName: string;
  readonly queue: string;
  readonly priority: number;
  /** Since it is due, in milliseconds, by the database's clock. */
  readonly waitedMs: number;
  /** Whether this processor takes such jobs, by their name and their queue. */
  readonly claimable: boolean;
}

/**
 * Of each priority in which a job is due, the one that waits longest; the highest priority first.
 *
 * Claims go through a priority in the order of `runAt`. So a job that nobody claims comes to stand first in its own,
 * and is seen here, however many wait behind it.
 *
 * Mostly one command, since most jobs have the lowest priority; never more than there are priorities, 10. Each reads
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
    const first = await findFirst(jobs, below, openQueues);
    if (first === null) break;
    const { _id: id, jobName, queue } = first;
    const claimable = jobNames.includes(jobName) && (queues?.includes(queue) ?? true);
    oldest.push({ id, jobName, queue, priority: first.priority, waitedMs: first.waitedMs, claimable });
    below = first.priority;
  }
  return oldest;
}

/** The first in the order of claims among the due jobs of lower priorities than this. */
function findFirst(jobs: Collection<JobDocument>, below: number, openQueues?: readonly string[]) {
  const waiting: Filter<JobDocument> = {
    status: 'queued',
    ...(openQueues && { queue: { $in: [...openQueues] } }),
    priority: { ...anyPriority, $lt: below },
    ...isDue,
  };
  const projection = { jobName: 1, queue: 1, priority: 1, waitedMs: { $subtract: ['$$NOW', '$runAt'] } };
  return byIndex(jobs, claimIndex(openQueues), (hint) =>
    jobs.findOne<JobDocument & { waitedMs: number }>(waiting, { sort: claimOrder, projection, ...hint }),
  );
}
