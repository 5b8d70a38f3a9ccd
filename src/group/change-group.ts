import type { Collection, Filter } from 'mongodb';
import { requestCancel } from '../job/end-attempt.js';
import { type FormerHolder, findCancelledHolders } from '../job/former-holder.js';
import { failedIn, lookAtGroup, openIn } from '../job/group-statements.js';
import { type InTree, treeFields } from '../job/in-tree.js';
import { membersIndex } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { queueAgain, retriable } from '../job/retry-job.js';
import { byId, byIndex } from '../mongo/by-index.js';
import { reopening } from './close-group.js';
import type { BatchDocument, GroupCollections, WorkflowDocument } from './group-document.js';

/** Jobs per command. Keeps each command short, so that no other write is held up for long. */
const AT_A_TIME = 1000;

/** What cancelling a group did. */
export interface CancelledGroup {
  /** How many jobs were cancelled or asked to stop. */
  readonly changed: number;
  /** The jobs that were queued and may have added others. */
  readonly parents: readonly string[];
  readonly freed: readonly FormerHolder[];
  /** Whether some of its jobs are running, and have not stopped yet. */
  readonly isOpen: boolean;
}

/** Cancels the jobs of a group that have not ended, and the one that waits for them. Safe to repeat. */
export async function cancelGroup(
  { jobs, jobGroups }: GroupCollections,
  group: BatchDocument | WorkflowDocument,
): Promise<CancelledGroup> {
  await jobGroups.updateOne({ _id: group._id }, [{ $set: { cancelled: '$$NOW' } }], byId);
  const parents: string[] = [];
  const freed: FormerHolder[] = [];
  let changed = 0;
  const cancel = async (ids: readonly string[]) => {
    const open = { _id: { $in: [...ids] }, completed: { $exists: false } };
    return (await jobs.updateMany(open, requestCancel(), byId)).modifiedCount;
  };
  if (group.kind === 'batch' && group.then) await cancel([group.then.id]);
  // One that is running stays open, and is asked once.
  const unasked = { ...openIn(group._id), cancelRequested: { $exists: false } };
  for (;;) {
    const options = {
      projection: { ...treeFields, limits: 1 },
      limit: AT_A_TIME,
      batchSize: AT_A_TIME + 1,
    } as const;
    const found = await byIndex(jobs, membersIndex, (hint) =>
      jobs.find<Found>(unasked, { ...options, ...hint }).toArray(),
    );
    const ids = found.map(({ _id }) => _id);
    if (ids.length > 0) changed += await cancel(ids);
    parents.push(...found.filter(({ steps }) => steps?.children).map(({ _id }) => _id));
    const limited = found.filter(({ limits }) => limits !== undefined).map(({ _id }) => _id);
    if (limited.length > 0) freed.push(...(await findCancelledHolders(jobs, { _id: { $in: limited } })));
    if (found.length < AT_A_TIME) break;
  }
  const { isOpen } = await lookAtGroup(jobs, group._id);
  return { changed, parents, freed, isOpen };
}

type Found = Pick<JobDocument, '_id' | 'limits'> & InTree;

/**
 * Queues the jobs of a group again that failed or were cancelled, and then the one that waits for them, which might not wait
 * if it were first. Returns their number.
 */
export async function retryGroup(
  { jobs, jobGroups }: GroupCollections,
  group: BatchDocument | WorkflowDocument,
): Promise<number> {
  await jobGroups.updateOne({ _id: group._id }, reopening, byId);
  const changed = await retryFailed(jobs, group._id);
  if (group.kind === 'batch' && group.then)
    await jobs.updateOne({ _id: group.then.id, status: { $in: [...retriable] } }, queueAgain, byId);
  // A look in between may have found that the group was over.
  await jobGroups.updateOne({ _id: group._id }, reopening, byId);
  return changed;
}

/** Queues the jobs of a group again that failed or were cancelled. Returns their number. Safe to repeat. */
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
