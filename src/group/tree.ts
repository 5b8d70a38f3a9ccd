import type { Collection, Filter } from 'mongodb';
import { requestCancel } from '../job/end-attempt.js';
import { type FormerHolder, findCancelledHolders } from '../job/former-holder.js';
import { descendantsOf } from '../job/group.js';
import type { JobDocument } from '../job/job.js';
import { byId } from '../mongo/by-index.js';

/** Jobs per command. Keeps each command short, so that no other write is held up for long. */
const BATCH = 1000;

/**
 * Cancels the jobs below this one that are queued, and asks the running ones to stop, at all levels at once. Returns those
 * that held places in limits. Without such jobs, that costs two commands.
 */
export async function cancelDescendants(
  jobs: Collection<JobDocument>,
  parentId: string,
): Promise<FormerHolder[]> {
  return cancelAll(jobs, descendantsOf(parentId));
}

/**
 * Cancels the children of one group and all jobs below them, as `cancelDescendants` does.
 *
 * @param id id of the group
 */
export async function cancelMembers(
  jobs: Collection<JobDocument>,
  parentId: string,
  id: string,
): Promise<FormerHolder[]> {
  return cancelAll(jobs, { _id: { $gt: `${id}.`, $lt: `${id}/` }, parents: parentId });
}

async function cancelAll(jobs: Collection<JobDocument>, below: Filter<JobDocument>): Promise<FormerHolder[]> {
  const open: Filter<JobDocument> = { ...below, status: { $in: ['queued', 'processing'] } };
  const { modifiedCount } = await jobs.updateMany(open, requestCancel(), byId);
  return modifiedCount === 0 ? [] : findCancelledHolders(jobs, below);
}

/** Removes the settled jobs below this one. Returns whether others are left. */
export async function removeDescendants(jobs: Collection<JobDocument>, parentId: string): Promise<boolean> {
  const below = descendantsOf(parentId);
  for (;;) {
    const found = await jobs
      .find(
        { ...below, completed: { $exists: true } },
        { projection: { _id: 1 }, limit: BATCH, batchSize: BATCH + 1, ...byId },
      )
      .toArray();
    await jobs.deleteMany({ _id: { $in: found.map(({ _id }) => _id) }, completed: { $exists: true } }, byId);
    if (found.length < BATCH) break;
  }
  return (await jobs.findOne(below, { projection: { _id: 1 }, ...byId })) !== null;
}

/** Returns whether one of the jobs below this one is queued or running. */
export async function hasOpenDescendants(jobs: Collection<JobDocument>, parentId: string): Promise<boolean> {
  const open = { ...descendantsOf(parentId), completed: { $exists: false } };
  return (await jobs.findOne(open, { projection: { _id: 1 }, ...byId })) !== null;
}
