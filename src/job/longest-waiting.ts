import type { Collection, Document, Filter } from 'mongodb';
import { byIndex, type Index } from '../mongo/by-index.js';
import type { JobDocument } from './job.js';

/**
 * When a due job began to wait: at its `runAt`, or later when it was added or given back. A job added with a past `runAt`
 * does not seem to have waited since then.
 */
export const waitingSince: Document = { $max: ['$runAt', '$queued'] };

/** Maximum number of jobs in front that were queued after their `runAt`. */
const MAX_IN_FRONT = 100;

/** A job and since when it waits. */
export type Waiting = Pick<JobDocument, '_id' | 'jobName' | 'queue' | 'priority' | 'runAt'> & {
  readonly since: Date;
  /** Waiting time by the database's clock. */
  readonly waitedMs: number;
};

/**
 * Returns the longest-waiting of the due jobs that an index gives in the order of `runAt`. Mostly this is the first: no
 * job behind one that was queued before its `runAt` can have waited longer. Only if the first was queued later, a second
 * command looks at 100 jobs.
 *
 * @param index serves the conditions
 * @param due the conditions
 * @param order order in which the first is found
 * @param among further conditions, given the first job, that leave an order by `runAt` alone
 */
export async function findLongestWaiting(
  jobs: Collection<JobDocument>,
  index: Index,
  due: Filter<JobDocument>,
  order: Document,
  among: (first: Waiting) => Filter<JobDocument> = () => ({}),
): Promise<Waiting | undefined> {
  const find = (conditions: Filter<JobDocument>, limit: number) => {
    const options = { sort: order, limit, projection: shown, batchSize: limit, singleBatch: true };
    return byIndex(jobs, index, (hint) => jobs.find<Waiting>(conditions, { ...options, ...hint }).toArray());
  };
  const [first] = await find(due, 1);
  if (!first || wasQueuedBefore(first)) return first;
  const front = await find({ ...due, ...among(first) }, MAX_IN_FRONT);
  const end = front.findIndex(wasQueuedBefore);
  const candidates = end === -1 ? front : front.slice(0, end + 1);
  return candidates.reduce((longest, job) => (job.since < longest.since ? job : longest), first);
}

function wasQueuedBefore({ since, runAt }: Waiting): boolean {
  return since.getTime() === runAt.getTime();
}

const shown: Document = {
  jobName: 1,
  queue: 1,
  priority: 1,
  runAt: 1,
  since: waitingSince,
  waitedMs: { $subtract: ['$$NOW', waitingSince] },
};
