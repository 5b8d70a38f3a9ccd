import type { ClientSession, Collection } from 'mongodb';
import type { JobDocument, Occurrence } from '../job/job.js';

/** A job that was made before its occurrence is due. */
export type AheadJob = Pick<JobDocument, '_id' | 'status' | 'picked' | 'runAt'> & {
  readonly occurrence: Occurrence;
};

/**
 * The jobs that an item made ahead and that are not due yet, in the order of their occurrences.
 *
 * @param now by the database's clock
 */
export function findMadeAhead(
  jobs: Collection<JobDocument>,
  itemId: string,
  now: Date,
  options: { readonly session?: ClientSession; readonly limit?: number } = {},
): Promise<AheadJob[]> {
  const ahead = { 'occurrence.item': itemId, 'occurrence.at': { $gt: now } };
  return jobs
    .find(ahead, { ...options, sort: { 'occurrence.at': 1 } })
    .project<AheadJob>({ status: 1, picked: 1, runAt: 1, occurrence: 1 })
    .toArray();
}
