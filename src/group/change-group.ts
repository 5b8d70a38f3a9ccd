import type { Collection, Filter } from 'mongodb';
import { ConflictError } from '../errors.js';
import { failedIn, lookAtGroup, openIn } from '../job/group-statements.js';
import { membersIndex } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { requestCancel } from '../job/request-cancel.js';
import { queueAgain, retriable } from '../job/retry-job.js';
import { byId, byIndex } from '../mongo/by-index.js';
import { type CancelledOpen, cancelOpen } from './cancel-open.js';
import { reopening } from './close-group.js';
import type { BatchDocument, GroupCollections, WorkflowDocument } from './group-document.js';

/** Jobs per command. Short commands hold up no other write for long. */
const AT_A_TIME = 1000;

/** Result of cancelling a group. */
export interface CancelledGroup extends CancelledOpen {
  /** Whether some of its jobs are still running. */
  readonly isOpen: boolean;
}

/** Cancels the open jobs of a group, and the job that waits for them. A group that is over stays as it is. Safe to repeat. */
export async function cancelGroup(
  { jobs, jobGroups }: GroupCollections,
  group: BatchDocument | WorkflowDocument,
): Promise<CancelledGroup> {
  const notOver = { _id: group._id, closed: { $exists: false } };
  await jobGroups.updateOne(notOver, [{ $set: { cancelled: '$$NOW' } }], byId);
  if (group.kind === 'batch' && group.then) {
    const waiting = { _id: group.then.id, completed: { $exists: false } };
    await jobs.updateOne(waiting, requestCancel(), byId);
  }
  const cancelled = await cancelOpen(jobs, openIn(group._id));
  const { isOpen } = await lookAtGroup(jobs, group._id);
  return { ...cancelled, isOpen };
}

/**
 * Queues the failed and cancelled jobs of a group again. Then queues the job that waits for them. If it were queued first, it
 * might not wait. Returns their number.
 *
 * @throws ConflictError if the one that waits for them is gone
 */
export async function retryGroup(
  { jobs, jobGroups }: GroupCollections,
  group: BatchDocument | WorkflowDocument,
): Promise<number> {
  if (group.kind === 'batch' && group.then) await requireThere(jobs, group.then.id);
  await jobGroups.updateOne({ _id: group._id }, reopening, byId);
  const changed = await retryFailed(jobs, group._id);
  if (group.kind === 'batch' && group.then)
    await jobs.updateOne({ _id: group.then.id, status: { $in: [...retriable] } }, queueAgain, byId);
  // A look in between may have found that the group was over.
  await jobGroups.updateOne({ _id: group._id }, reopening, byId);
  return changed;
}

async function requireThere(jobs: Collection<JobDocument>, id: string): Promise<void> {
  if ((await jobs.countDocuments({ _id: id }, { limit: 1, ...byId })) > 0) return;
  throw new ConflictError(
    id,
    `The batch cannot be retried: job '${id}', which runs after it, is gone. Retry its jobs one by one, or add it anew.`,
  );
}

/** Queues the failed and cancelled jobs of a group again. Returns their number. Safe to repeat. */
export async function retryFailed(jobs: Collection<JobDocument>, group: string): Promise<number> {
  let changed = 0;
  for (;;) {
    const options = { projection: { _id: 1 }, limit: AT_A_TIME, batchSize: AT_A_TIME + 1 } as const;
    const found = await byIndex(jobs, membersIndex, (hint) =>
      jobs.find(failedIn(group), { ...options, ...hint }).toArray(),
    );
    const ids = found.map(({ _id }) => _id);
    const again: Filter<JobDocument> = { _id: { $in: ids }, status: { $in: [...retriable] } };
    changed += (await jobs.updateMany(again, queueAgain, byId)).modifiedCount;
    if (found.length < AT_A_TIME) return changed;
  }
}
