import type { Collection, Document, Filter } from 'mongodb';
import { byIndex, type Index } from '../mongo/by-index.js';
import type { JobDocument } from './job.js';

/**
 * Since when a job waits that is due: from its moment or, when it was added or given back only later, from then. So one
 * that is added with a moment that has passed does not seem to have waited since.
 */
export const waitingSince: Document = { $max: ['$runAt', '$queued'] };

/** As many as may stand in front with a moment that had passed when they were queued. */
const MAX_IN_FRONT = 100;

/** A job, and since when it waits. */
export type Waiting = Pick<JobDocument, '_id' | 'jobName' | 'queue' | 'priority' | 'runAt'> & {
  readonly since: Date;
  /** By the database's clock. */
  readonly waitedMs: number;
};

/**
 * Of due jobs that an index gives in the order of `runAt`, the one that waits longest: mostly the first, for none behind a
 * job that was queued before its moment can wait longer than it. Only when the first was queued later than that, it looks
 * at 100 of them, by a second command.
 *
 * @param index that serves them
 * @param due the conditions
 * @param order by which the first is found
 * @param among further conditions, by which the order is that of `runAt` alone, given the first
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
