import type { Collection } from 'mongodb';
import { batchesOf } from '../batches-of.js';
import { memberId, parseGroup, thenId, workflowJobId } from '../job/group.js';
import { type JobDocument, settledStatuses } from '../job/job.js';
import { byId } from '../mongo/by-index.js';
import type { BatchDocument, GroupCollections, WorkflowDocument } from './group-document.js';

/** Jobs per command. Keeps each command short, so that no other write is held up for long. */
const AT_A_TIME = 1000;

/** Removes a batch or a workflow that is over, and its settled jobs with all that they have added. Safe to repeat. */
export async function removeGroup(
  { jobs, jobGroups }: GroupCollections,
  group: BatchDocument | WorkflowDocument,
): Promise<void> {
  for (const ids of batchesOf(memberIds(group), AT_A_TIME)) await removeSettled(jobs, ids);
  await jobGroups.deleteOne({ _id: group._id }, byId);
}

/** Returns the ids of the jobs of a group, and of the one that waits for it. */
export function memberIds(group: BatchDocument | WorkflowDocument): string[] {
  const { id } = parseGroup(group._id);
  if (group.kind === 'workflow') return group.jobs.map(({ name }) => workflowJobId(id, name));
  const ids = Array.from({ length: group.size }, (_, index) => memberId(id, index));
  return group.then ? [...ids, thenId(id)] : ids;
}

async function removeSettled(jobs: Collection<JobDocument>, ids: readonly string[]): Promise<void> {
  await jobs.deleteMany({ _id: { $in: [...ids] }, status: { $in: [...settledStatuses] } }, byId);
}
