import type { ClientSession, Collection } from 'mongodb';
import type { JobDocument } from '../job/job.js';

/** Returns the id of the job of an item's occurrence, or undefined if there is no such job (any more). */
export async function findOccurrenceJob(
  jobs: Collection<JobDocument>,
  itemId: string,
  at: Date,
  session: ClientSession,
): Promise<string | undefined> {
  const key = { 'occurrence.item': itemId, 'occurrence.at': at };
  return (await jobs.findOne(key, { session, projection: { _id: 1 } }))?._id;
}
