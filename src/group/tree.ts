import type { Collection, Filter } from 'mongodb';
import type { FormerHolder } from '../job/former-holder.js';
import { descendantsOf, groupOf } from '../job/group.js';
import { isInMembersIndex } from '../job/group-statements.js';
import { membersIndex } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { byId, byIndex } from '../mongo/by-index.js';
import { cancelOpen } from './cancel-open.js';

/** Jobs per command. Short commands hold up no other write for long. */
const BATCH = 1000;

/**
 * Cancels the queued jobs below a job, and asks the running ones to stop, at all levels at once. Returns those that held places
 * in limits. Costs one command if there are none, however many have ended.
 */
export async function cancelDescendants(
  jobs: Collection<JobDocument>,
  parentId: string,
): Promise<readonly FormerHolder[]> {
  return (await cancelOpen(jobs, openBelow(parentId))).freed;
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
): Promise<readonly FormerHolder[]> {
  // The groups of the jobs below a child have names that begin with that of the child's group and a dot.
  const group = { $gte: groupOf('children', id), $lt: groupOf('children', `${id}/`) };
  return (await cancelOpen(jobs, { ...openBelow(parentId), group })).freed;
}

/** Removes settled jobs below the given ones, 1,000 at a time. Returns whether some are left. */
export async function removeDescendants(
  jobs: Collection<JobDocument>,
  ...parentIds: readonly [string, ...string[]]
): Promise<boolean> {
  const below = descendantsOf(...parentIds);
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
  const options = { projection: { _id: 1 } } as const;
  const found = await byIndex(jobs, membersIndex, (hint) =>
    jobs.findOne(openBelow(parentId), { ...options, ...hint }),
  );
  return found !== null;
}

/** Matches the queued and running jobs below a job. The names of their groups begin with its id. */
function openBelow(parentId: string) {
  return {
    group: { $gt: groupOf('children', `${parentId}:`), $lt: groupOf('children', `${parentId};`) },
    completed: { $exists: false },
    status: isInMembersIndex,
    parents: parentId,
  } satisfies Filter<JobDocument>;
}
