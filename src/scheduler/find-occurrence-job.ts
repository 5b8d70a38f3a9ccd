import type { ClientSession, Collection } from 'mongodb';
import type { JobDocument } from '../job/job.js';

/** Returns the id of the job that an item made for an occurrence. Returns undefined if there is none, or if it was removed. */
export async function findOccurrenceJob(
  jobs: Collection<JobDocument>,
  itemId: string,
  at: Date,
  session: ClientSession,
): Promise<string | undefined> {
  const key = { 'occurrence.item': itemId, 'occurrence.at': at };
  return (await jobs.findOne(key, { session, projection: { _id: 1 } }))?._id;
}
