import type { Collection, Filter } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import type { JobDocument } from './job.js';

/** A job that was removed, changed or cancelled, and the places in limits that it had before. */
export type FormerHolder = Pick<JobDocument, 'jobName' | 'limits' | 'slots' | 'blockedBy'>;

/** The fields of a `FormerHolder`. */
export const holderFields = { jobName: 1, limits: 1, slots: 1, blockedBy: 1 } as const;

/** Jobs in the first reply. Callers mostly ask for no more. */
const MAX_FOUND = 1000;

/** Finds the cancelled jobs among these that held places in limits. @param among a condition on `_id` */
export function findCancelledHolders(
  jobs: Collection<JobDocument>,
  among: Filter<JobDocument>,
): Promise<FormerHolder[]> {
  const cancelled: Filter<JobDocument> = { ...among, status: 'cancelled', slots: { $exists: true } };
  return jobs.find(cancelled, { projection: holderFields, batchSize: MAX_FOUND + 1, ...byId }).toArray();
}
