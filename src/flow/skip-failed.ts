import type { Collection } from 'mongodb';
import { slotIndex } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { byIndex } from '../mongo/by-index.js';

/**
 * Takes its place away from the failed job that stops a strict order. Returns the job's id, or undefined if no job stops
 * it.
 */
export async function skipFailed(jobs: Collection<JobDocument>, key: string): Promise<string | undefined> {
  const stopping = { 'slots.key': key, status: 'error' as const };
  const without = { $pull: { slots: { key } } };
  const skipped = await byIndex(jobs, slotIndex, (hint) =>
    jobs.findOneAndUpdate(stopping, without, { projection: { _id: 1 }, ...hint }),
  );
  return skipped?._id;
}
