import type { ClientSession, Collection } from 'mongodb';
import type { JobDocument, Occurrence } from '../job/job.js';

/** A job that was made before its occurrence was due. */
export type AheadJob = Pick<JobDocument, '_id' | 'status' | 'picked' | 'runAt'> & {
  readonly occurrence: Occurrence;
};

/** Selects occurrences of an item that are not due yet. */
export interface Ahead {
  readonly itemId: string;
  /** The database's now. Only later occurrences are ahead. */
  readonly now: Date;
  /**
   * The last occurrence that the item has moved past. If absent, later jobs are included too: jobs that stayed when the item
   * was moved back.
   */
  readonly until?: Date;
}

/** Returns the jobs of occurrences that were made ahead, in the order of their occurrences. */
export function findMadeAhead(
  jobs: Collection<JobDocument>,
  { itemId, now, until }: Ahead,
  options: { readonly session?: ClientSession; readonly limit?: number } = {},
): Promise<AheadJob[]> {
  const at = { $gt: now, ...(until && { $lte: until }) };
  return jobs
    .find({ 'occurrence.item': itemId, 'occurrence.at': at }, { ...options, sort: { 'occurrence.at': 1 } })
    .project<AheadJob>({ status: 1, picked: 1, runAt: 1, occurrence: 1 })
    .toArray();
}
