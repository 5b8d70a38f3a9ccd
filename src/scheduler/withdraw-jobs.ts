import type { ClientSession, Collection } from 'mongodb';
import type { JobDocument } from '../job/job.js';

/** What an item was like before its occurrences that are not due yet were made ahead. */
export interface Withdrawn {
  /** How many. */
  readonly count: number;
  /** The first of them. */
  readonly first: Date;
  /** The last occurrence that stays, and its job. */
  readonly last: { readonly at: Date; readonly jobId: string } | undefined;
}

/**
 * Removes the jobs of an item's occurrences that were made ahead and are not due yet. Undefined when there are none.
 * Only within the transaction that moves the item back: then no occurrence is left without its job.
 *
 * @param now by the database's clock
 */
export async function withdrawJobs(
  jobs: Collection<JobDocument>,
  itemId: string,
  now: Date,
  session: ClientSession,
): Promise<Withdrawn | undefined> {
  const ahead = { 'occurrence.item': itemId, 'occurrence.at': { $gt: now } };
  const projection = { occurrence: 1, status: 1 };
  const made = await jobs.find(ahead, { session, projection, sort: { 'occurrence.at': 1 } }).toArray();
  const queued = made.filter(({ status }) => status === 'queued');
  const [first] = queued;
  if (first?.occurrence === undefined) return undefined;
  await jobs.deleteMany({ _id: { $in: queued.map(({ _id }) => _id) } }, { session });
  const before = { 'occurrence.item': itemId, 'occurrence.at': { $lt: first.occurrence.at } };
  const last = await jobs.findOne(before, { session, projection, sort: { 'occurrence.at': -1 } });
  return {
    count: queued.length,
    first: first.occurrence.at,
    last: last?.occurrence && { at: last.occurrence.at, jobId: last._id },
  };
}
