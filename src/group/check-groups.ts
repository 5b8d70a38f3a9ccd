import type { Collection } from 'mongodb';
import type { FormerHolder } from '../job/former-holder.js';
import { groupsAwaited, parseGroup } from '../job/group.js';
import { lookAtGroup } from '../job/group-statements.js';
import { isSettled, type JobDocument } from '../job/job.js';
import type { QueuedJob } from '../job/queued-job.js';
import { NEVER } from '../job/step-log.js';
import { byId, byIndex } from '../mongo/by-index.js';
import { cancelGroup } from './change-group.js';
import { isStuck, reopening } from './close-group.js';
import {
  type BatchDocument,
  CHECK_MS,
  CHECK_SETTLED_MS,
  checkIndex,
  fromNow,
  type GroupCollections,
  type GroupDocument,
  isDueForCheck,
  type ParentDocument,
  type WorkflowDocument,
} from './group-document.js';
import { removeGroup } from './remove-group.js';
import { cancelDescendants, hasOpenDescendants, removeDescendants } from './tree.js';

/** Maximum number of groups that are read together. */
const MAX_CHECKED = 500;

/** Maximum number of rounds per look. The next look takes the groups that are left, since a scheduler has little time. */
const MAX_ROUNDS = 20;

/** Number of groups that are looked at together. */
const AT_A_TIME = 20;

/** The looks at single groups. */
export interface GroupLooks {
  lookForParent(parentId: string, groups: readonly string[]): Promise<QueuedJob[]>;
  lookAtAdded(group: string): Promise<QueuedJob[]>;
}

/** Result of a check of groups. */
export interface Checked {
  /** The jobs that may run now. */
  readonly woken: readonly QueuedJob[];
  /** Cancelled jobs that held places in limits. */
  readonly freed: readonly FormerHolder[];
}

/**
 * Does the work that a process left undone when it died. Lets parents and held jobs go on, cancels open jobs of a settled
 * parent, and removes jobs whose parent or group is gone. Begins with the groups that were not looked at for longest. Costs one
 * command if there is nothing to do.
 *
 * @throws the driver's errors
 */
export async function checkGroups(collections: GroupCollections, groups: GroupLooks): Promise<Checked> {
  const woken: QueuedJob[] = [];
  const freed: FormerHolder[] = [];
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const due = await findDue(collections);
    const checked = await checkAll(collections, groups, due);
    woken.push(...checked.woken);
    freed.push(...checked.freed);
    if (due.length < MAX_CHECKED) break;
  }
  return { woken, freed };
}

async function checkAll(
  collections: GroupCollections,
  groups: GroupLooks,
  due: readonly DueGroup[],
): Promise<Checked> {
  const parents = await findParents(collections, due);
  const woken: QueuedJob[] = [];
  const freed: FormerHolder[] = [];
  for (let from = 0; from < due.length; from += AT_A_TIME) {
    const checked = await Promise.all(
      due
        .slice(from, from + AT_A_TIME)
        .map((group) =>
          group.kind === 'job'
            ? checkParent(collections, groups, parents.get(parseGroup(group._id).id), group)
            : checkAdded(collections, groups, group),
        ),
    );
    for (const one of checked) {
      woken.push(...one.woken);
      freed.push(...one.freed);
    }
  }
  return { woken, freed };
}

type DueGroup = GroupDocument & { readonly isExpired: boolean };

function findDue({ jobGroups }: GroupCollections): Promise<DueGroup[]> {
  const stages = [
    { $match: isDueForCheck },
    { $sort: { checkAt: 1 } },
    { $limit: MAX_CHECKED },
    { $set: { isExpired: { $lte: [{ $ifNull: ['$expires', NEVER] }, '$$NOW'] } } },
  ];
  return byIndex(jobGroups, checkIndex, (hint) =>
    jobGroups.aggregate<DueGroup>(stages, { batchSize: MAX_CHECKED + 1, ...hint }).toArray(),
  );
}

type Parent = Pick<JobDocument, '_id' | 'status' | 'steps'>;

async function findParents(
  { jobs }: GroupCollections,
  groups: readonly GroupDocument[],
): Promise<Map<string, Parent>> {
  const ids = groups.flatMap(({ _id, kind }) => (kind === 'job' ? [parseGroup(_id).id] : []));
  if (ids.length === 0) return new Map();
  const options = { projection: { status: 1, 'steps.waits': 1 }, batchSize: ids.length + 1, ...byId };
  const found = await jobs.find({ _id: { $in: ids } }, options).toArray();
  return new Map(found.map((parent) => [parent._id, parent]));
}

async function checkParent(
  collections: GroupCollections,
  groups: GroupLooks,
  parent: Parent | undefined,
  group: ParentDocument,
): Promise<Checked> {
  const { jobs, jobGroups } = collections;
  const { id } = parseGroup(group._id);
  if (!parent) {
    const freed = await cancelDescendants(jobs, id);
    const isLeft = await removeDescendants(jobs, id);
    if (isLeft) await checkAgain(collections, group, CHECK_MS);
    else await jobGroups.deleteOne({ _id: group._id, checkAt: group.checkAt }, byId);
    return { woken: [], freed };
  }
  if (isSettled(parent.status)) {
    const isOpen = await hasOpenDescendants(jobs, id);
    // A person may have retried it since it was read.
    const freed = isOpen && (await isStillSettled(jobs, id)) ? await cancelDescendants(jobs, id) : [];
    await checkAgain(collections, group, isOpen ? CHECK_MS : CHECK_SETTLED_MS);
    return { woken: [], freed };
  }
  const awaited = parent.status === 'queued' ? groupsAwaited(parent.steps?.waits) : [];
  const woken = await groups.lookForParent(id, awaited);
  await checkAgain(collections, group, CHECK_MS);
  return { woken, freed: [] };
}

async function isStillSettled(jobs: Collection<JobDocument>, _id: string): Promise<boolean> {
  const settled = { _id, completed: { $exists: true } };
  return (await jobs.findOne(settled, { projection: { _id: 1 }, ...byId })) !== null;
}

async function checkAdded(
  collections: GroupCollections,
  groups: GroupLooks,
  group: (BatchDocument | WorkflowDocument) & { readonly isExpired: boolean },
): Promise<Checked> {
  if (group.isExpired) {
    if (await isAboutToGoOn(collections, group)) {
      await checkAgain(collections, group, CHECK_MS);
      return { woken: [], freed: [] };
    }
    // Jobs may wait in it for one that nobody has retried, or that was never added.
    const { freed, isOpen } = await cancelGroup(collections, group);
    if (isOpen) await checkAgain(collections, group, CHECK_MS);
    else await removeGroup(collections, group);
    return { woken: [], freed };
  }
  if (group.closed || (group.kind === 'workflow' && group.failed)) await reopenIfOpen(collections, group);
  else await checkAgain(collections, group, CHECK_MS);
  return { woken: await groups.lookAtAdded(group._id), freed: [] };
}

/**
 * Reopens a closed group if one of its jobs was retried. The process that retried the job may have died before it reopened the
 * group.
 */
async function reopenIfOpen(
  collections: GroupCollections,
  group: BatchDocument | WorkflowDocument,
): Promise<void> {
  const { jobs, jobGroups } = collections;
  const { _id, checkAt } = group;
  // The jobs that wait in a workflow that has failed are open.
  const goesOn = group.closed
    ? (await lookAtGroup(jobs, _id)).isOpen
    : !(await isStuck(jobs, parseGroup(_id).id));
  if (goesOn) await jobGroups.updateOne({ _id, checkAt }, reopening, byId);
  else await checkAgain(collections, group, CHECK_SETTLED_MS);
}

/**
 * Returns whether the job after a batch has yet to end without a person's help. Such a job may read the results of the batch.
 */
async function isAboutToGoOn(
  { jobs }: GroupCollections,
  group: BatchDocument | WorkflowDocument,
): Promise<boolean> {
  if (group.kind !== 'batch' || !group.then) return false;
  const free = { _id: group.then.id, completed: { $exists: false }, waitsFor: { $exists: false } };
  return (await jobs.findOne(free, { projection: { _id: 1 }, ...byId })) !== null;
}

/** Postpones the next look, unless somebody has asked for a look since. */
async function checkAgain(
  { jobGroups }: GroupCollections,
  { _id, checkAt }: Pick<GroupDocument, '_id' | 'checkAt'>,
  ms: number,
): Promise<void> {
  await jobGroups.updateOne({ _id, checkAt }, [{ $set: { checkAt: fromNow(ms) } }], byId);
}
