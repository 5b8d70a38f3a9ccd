import type { Collection } from 'mongodb';
import { MAX_SLOTS } from '../job/flow-rules.js';
import { slotIndex } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { byIndex } from '../mongo/by-index.js';

/** A job that holds a place in a limit. */
export interface LimitHolder extends Pick<JobDocument, 'jobName' | 'queue' | 'status'> {
  readonly id: string;
}

/** Finds the jobs that hold places in a limit, and the number of places that the jobs' code gives the limit. */
export async function findHolders(
  jobs: Collection<JobDocument>,
  key: string,
): Promise<{ readonly holders: LimitHolder[]; readonly limit: number | null }> {
  const held = { 'slots.key': key, status: { $in: slotIndex.partialFilterExpression.status.$in } };
  const projection = { jobName: 1, queue: 1, status: 1, limits: 1 };
  const found = await byIndex(jobs, slotIndex, (hint) =>
    jobs.find(held, { projection, limit: MAX_SLOTS, batchSize: MAX_SLOTS + 1, ...hint }).toArray(),
  );
  const limit = found.flatMap(({ limits = [] }) => limits).find((one) => one.key === key)?.limit ?? null;
  return {
    holders: found.map(({ _id: id, jobName, queue, status }) => ({ id, jobName, queue, status })),
    limit,
  };
}
