import type { Collection } from 'mongodb';
import { byId, byIndex } from '../mongo/by-index.js';
import { heldBackJobs } from './indexes.js';
import type { JobDocument } from './job.js';
import { isUnmarked } from './queued-jobs.js';

/** Jobs per command. Keeps each command short even if an earlier version queued all jobs. */
const BATCH = 1000;

/**
 * Makes jobs claimable that were queued by processes of an earlier version, and returns their number. Costs two
 * commands per 1,000 jobs.
 */
export async function makeClaimable(jobs: Collection<JobDocument>): Promise<number> {
  let count = 0;
  for (;;) {
    const found = await findUnmarked(jobs);
    const ids = found.map(({ _id }) => _id);
    const { modifiedCount } = await jobs.updateMany(
      { ...isUnmarked, _id: { $in: ids } },
      { $set: { claimable: true } },
      byId,
    );
    count += modifiedCount;
    if (found.length < BATCH) return count;
  }
}

function findUnmarked(jobs: Collection<JobDocument>): Promise<Pick<JobDocument, '_id'>[]> {
  const options = { projection: { _id: 1 }, limit: BATCH, batchSize: BATCH } as const;
  return byIndex(jobs, heldBackJobs, (hint) => jobs.find(isUnmarked, { ...options, ...hint }).toArray());
}
