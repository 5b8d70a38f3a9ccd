import type { Collection } from 'mongodb';
import { batchesOf } from '../batches-of.js';
import { jobKey, memberId, parseGroup, thenId, workflowJobId } from '../job/group.js';
import { type JobDocument, settledStatuses } from '../job/job.js';
import { byId } from '../mongo/by-index.js';
import { lookSoon } from './close-group.js';
import type { BatchDocument, GroupCollections, WorkflowDocument } from './group-document.js';
import { removeDescendants } from './tree.js';

/** Jobs per command. Short commands hold up no other write for long. */
const AT_A_TIME = 1000;

/** Removes a batch or a workflow that is over, its settled jobs, and all jobs that these have added. Safe to repeat. */
export async function removeGroup(
  collections: GroupCollections,
  group: BatchDocument | WorkflowDocument,
): Promise<void> {
  const { jobs, jobGroups } = collections;
  for (const ids of batchesOf(memberIds(group), AT_A_TIME)) {
    const [first, ...others] = await findParents(collections, ids);
    await removeSettled(jobs, ids);
    if (first !== undefined) await removeDescendants(jobs, first, ...others);
  }
  await jobGroups.deleteOne({ _id: group._id }, byId);
}

/** Returns the ids of the jobs of a group, and of the one that waits for it. */
export function memberIds(group: BatchDocument | WorkflowDocument): string[] {
  const { id } = parseGroup(group._id);
  if (group.kind === 'workflow') return group.jobs.map(({ name }) => workflowJobId(id, name));
  const ids = Array.from({ length: group.size }, (_, index) => memberId(id, index));
  return group.then ? [...ids, thenId(id)] : ids;
}

/**
 * Returns the ids of these jobs that have added others. Requests a look after them within two minutes, in case the process dies
 * before it has removed them.
 */
async function findParents(collections: GroupCollections, ids: readonly string[]): Promise<string[]> {
  const parents = { _id: { $in: [...ids] }, 'steps.children': true } as const;
  const options = { projection: { _id: 1 }, batchSize: AT_A_TIME + 1, ...byId } as const;
  const found = (await collections.jobs.find(parents, options).toArray()).map(({ _id }) => _id);
  await lookSoon(collections, found.map(jobKey));
  return found;
}

async function removeSettled(jobs: Collection<JobDocument>, ids: readonly string[]): Promise<void> {
  await jobs.deleteMany({ _id: { $in: [...ids] }, status: { $in: [...settledStatuses] } }, byId);
}
