import type { Collection, Document, Filter } from 'mongodb';
import { byIndex, type Index } from '../mongo/by-index.js';
import type { JobDocument } from './job.js';

/**
 * When a due job began to wait: at its `runAt`, or when it was queued if that was later. So a job added with a past
 * `runAt` does not seem to have waited since then.
 */
export const waitingSince: Document = { $max: ['$runAt', '$queued'] };

/** Maximum number of jobs to look at if the first was queued after its `runAt`. */
const MAX_IN_FRONT = 100;

/** A due job, and since when it has waited. */
export type Waiting = Pick<JobDocument, '_id' | 'jobName' | 'queue' | 'priority' | 'runAt'> & {
  readonly since: Date;
  /** Waiting time by the database's clock. */
  readonly waitedMs: number;
};

/**
 * Returns the longest-waiting of the due jobs that an index returns in the order of `runAt`. Usually this is the first:
 * if it was queued before its `runAt`, no later job has waited longer. Otherwise a second command looks at 100 jobs.
 *
 * @param index serves the conditions
 * @param due the conditions
 * @param order order in which the first is found
 * @param among given the first job, returns further conditions under which the index still returns the order of `runAt`
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
