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
  /** How long the job has been both due and queued, in milliseconds by the database's clock. */
  readonly waitedMs: number;
  /** Whether this processor takes jobs with this name and queue. */
  readonly claimable: boolean;
}

/**
 * Returns the longest-waiting due job of each priority, highest priority first.
 *
 * Claims take a priority's jobs in the order of `runAt`. So a job that nobody claims reaches the head of its priority
 * and is found here, however many jobs follow it. A job added with a past `runAt` waits only since it was added. Up to
 * 100 such jobs are skipped.
 *
 * Usually costs two commands, since most jobs have the lowest priority. At most one command for each of the 10
 * priorities, one for jobs that must run alone, and one more for each priority whose first job was added late. Each
 * command reads one key of the claim index, plus one for each priority with only delayed jobs. With queues given, it
 * reads as many keys per queue.
 *
 * @param openQueues queues whose jobs count, or undefined for all. Leave out paused queues, whose jobs are not claimed
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

/** Returns the longest-waiting job of each priority. */
function longestOfEach(jobs: readonly Waiting[]): Waiting[] {
  const isLongest = (job: Waiting) =>
    jobs.every(({ priority, waitedMs }) => priority !== job.priority || waitedMs <= job.waitedMs);
  return jobs.filter(isLongest).sort((one, other) => other.priority - one.priority);
}

/** Returns the longest-waiting of the due jobs that must run alone. */
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

/** Returns the longest-waiting due job of the highest priority below `below`. */
function findLongest(jobs: Collection<JobDocument>, below: number, openQueues?: readonly string[]) {
  const due: Filter<JobDocument> = {
    ...isClaimable,
    ...(openQueues && { queue: { $in: [...openQueues] } }),
    priority: { ...anyPriority, $lt: below },
    ...isDue,
  };
  return findLongestWaiting(jobs, claimIndex(openQueues), due, claimOrder, ({ priority }) => ({ priority }));
}
