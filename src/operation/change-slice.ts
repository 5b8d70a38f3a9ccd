import type { AnyBulkWriteOperation, Collection, Document, Filter } from 'mongodb';
import type { Role } from '../access/role.js';
import { afterCancelling, type CancelledInTree, requireFreedKeys } from '../job/change-many.js';
import { findOrphans } from '../job/find-orphans.js';
import { type FormerHolder, holderFields } from '../job/former-holder.js';
import { withoutLimits, withoutLimitsExceptOrder } from '../job/held-places.js';
import { type InTree, treeFields } from '../job/in-tree.js';
import { isNotAhead } from '../job/is-not-ahead.js';
import { isSettled, type Job, type JobDocument, type JobStatus, settledStatuses } from '../job/job.js';
import { ourJob } from '../job/jobs-collection.js';
import { unlessAlone } from '../job/leave-processing.js';
import { before, changedBy, leftAlone, markedBy, notMarkedBy, undoneBy } from '../job/operation-mark.js';
import { requestCancel } from '../job/request-cancel.js';
import { queueAgain, type Retried } from '../job/retry-job.js';
import { byId } from '../mongo/by-index.js';
import { resultDespiteTakenKeys } from '../mongo/duplicate-key.js';
import type { OperationCollections, OperationDocument } from './operation-document.js';

/** Functions called before and after an operation changes jobs. */
export interface OperationHooks {
  readonly freeing: (freed: readonly FormerHolder[]) => Promise<void>;
  readonly cancelling: (
    settled: readonly (CancelledInTree | (InTree & { id: string; status: 'error' }))[],
  ) => Promise<void>;
  readonly beforeRetrying: (found: readonly Pick<Job, 'group'>[]) => Promise<void>;
  readonly retrying: (retried: readonly Retried[]) => Promise<void>;
  /** Returns the kinds among these that a role may add. */
  readonly mayAdd: (names: readonly string[], role: Role | undefined) => Promise<ReadonlySet<string>>;
}

type Found = Pick<JobDocument, '_id' | 'jobName' | 'status' | 'after' | 'limits' | 'slots' | 'operation'> &
  InTree;

const foundFields = {
  ...treeFields,
  ...holderFields,
  status: 1,
  after: 1,
  operation: 1,
  parents: 1,
} as const;

/**
 * Carries out an operation on a slice of jobs, and returns how many are changed. Repeating it changes nothing more, and
 * returns the same number.
 */
export async function changeSlice(
  collections: OperationCollections,
  operation: OperationDocument,
  ids: readonly string[],
  after: OperationHooks,
): Promise<number> {
  if (ids.length === 0) return 0;
  const { jobs } = collections;
  const found = await findAll(jobs, ids);
  if (operation.action === 'remove') return removeSlice(jobs, operation, ids, found, after);
  const allowed = await allowedOf(jobs, operation, found, after);
  const open = allowed.filter((job) => job.operation?.id !== operation._id).map(({ _id }) => _id);
  if (operation.action === 'retry') {
    await requireFreedKeys(collections, open);
    await after.beforeRetrying(allowed);
  }
  if (open.length > 0)
    await jobs.bulkWrite(statements(operation, open), { ordered: false }).catch(resultDespiteTakenKeys);
  const marked = { _id: { $in: [...ids] }, 'operation.id': operation._id };
  const changed = await jobs.countDocuments(marked, byId);
  if (operation.action === 'retry') await after.retrying(allowed.map(toRetried));
  if (operation.action === 'cancel') {
    const toCancel = found.map(({ _id: id, ...job }) => ({ id, ...job }));
    await afterCancelling(jobs, toCancel, after.freeing, after.cancelling);
  }
  if (operation.action === 'move') await after.retrying([]);
  return changed;
}

/** Undoes an operation for the jobs of a slice that have not begun. Returns how many were restored. */
export async function undoSlice(
  { jobs }: OperationCollections,
  operation: OperationDocument,
  ids: readonly string[],
  after: OperationHooks,
): Promise<number> {
  if (ids.length === 0) return 0;
  const all = { _id: { $in: [...ids] } };
  const condition: Filter<JobDocument> = { ...ourJob, ...changedBy(operation._id), ...unbegun(operation) };
  // Nor may a process change them that was frozen meanwhile.
  const unchanged = { ...ourJob, ...all, ...selected(operation), ...notMarkedBy(operation._id) };
  await jobs.updateMany(unchanged, leftAlone(operation._id), byId);
  const found = await findAll(jobs, ids);
  const update = undoing(operation);
  const writes = ids.map((id): AnyBulkWriteOperation<JobDocument> => {
    return { updateOne: { filter: { ...condition, _id: id }, update, ...byId } };
  });
  await jobs.bulkWrite(writes, { ordered: false }).catch(resultDespiteTakenKeys);
  const undone = { ...all, ...undoneBy(operation._id) };
  const now = await jobs
    .find(undone, { projection: foundFields, batchSize: ids.length + 1, ...byId })
    .toArray();
  const isBack = new Set(now.map(({ _id }) => _id));
  await after.freeing(found.filter(({ _id, slots }) => slots !== undefined && isBack.has(_id)));
  if (operation.action === 'retry')
    await after.cancelling(
      now.flatMap(({ _id: id, status, ...tree }) =>
        status === 'error' || status === 'cancelled' ? { ...tree, id, status } : [],
      ),
    );
  if (operation.action === 'cancel') await after.retrying(now.map(toRetried));
  return now.length;
}

function toRetried({ _id: id, group, after }: Pick<JobDocument, '_id' | 'group' | 'after'>): Retried {
  return { id, ...(group && { group }), ...(after && { after }) };
}

function findAll(jobs: Collection<JobDocument>, ids: readonly string[]): Promise<Found[]> {
  const options = { projection: foundFields, batchSize: ids.length + 1, ...byId };
  return jobs.find<Found>({ ...ourJob, _id: { $in: [...ids] } }, options).toArray();
}

/** Leaves out jobs that the caller may not add. A retry also leaves out jobs whose parent has settled. */
async function allowedOf(
  jobs: Collection<JobDocument>,
  { action, callerRole }: OperationDocument,
  found: readonly Found[],
  after: OperationHooks,
): Promise<readonly Found[]> {
  if (action === 'cancel') return found;
  const names = await after.mayAdd([...new Set(found.map(({ jobName }) => jobName))], callerRole);
  const allowed = found.filter(({ jobName }) => names.has(jobName));
  if (action !== 'retry') return allowed;
  const orphans = await findOrphans(
    jobs,
    allowed.map(({ _id: id, parents }) => ({ id, ...(parents && { parents }) })),
  );
  return allowed.filter(({ _id }) => !orphans.has(_id));
}

function statements(
  operation: OperationDocument,
  ids: readonly string[],
): AnyBulkWriteOperation<JobDocument>[] {
  const condition = { ...ourJob, ...selected(operation), ...notMarkedBy(operation._id) };
  return ids.map((id) => ({
    updateOne: {
      filter: { ...condition, _id: id },
      update: [...markedBy(operation._id), ...change(operation)],
      ...byId,
    },
  }));
}

/** Matches the jobs whose state still allows the change. The state may have changed since the jobs were listed. */
function selected({
  action,
  filter: { status },
  endedBefore,
  endedAfter,
}: OperationDocument): Filter<JobDocument> {
  const ended = { $lt: endedBefore, ...(endedAfter && { $gte: endedAfter }) };
  const isOld = isSettled(status) ? { completed: ended } : {};
  const statuses: Filter<JobDocument> = { status, ...isOld };
  return action === 'reprioritise' ? { ...statuses, 'limits.key': { $not: /^order / } } : statuses;
}

function change({ action, spreadMs, to, priority }: OperationDocument): Document[] {
  switch (action) {
    case 'retry':
      return spreadMs === undefined ? queueAgain : [...queueAgain, spreadOver(spreadMs)];
    case 'cancel':
      return requestCancel();
    case 'move':
      return [{ $set: { queue: { $literal: to } } }];
    case 'reprioritise':
      return [{ $set: { priority: priority ?? 0 } }];
    case 'remove':
      return [];
  }
}

function spreadOver(spreadMs: number): Document {
  return { $set: { runAt: { $add: ['$runAt', Math.floor(Math.random() * spreadMs)] } } };
}

/** Matches jobs that have not begun since the operation changed them. */
function unbegun({ action, to, priority }: OperationDocument): Filter<JobDocument> {
  if (action === 'cancel') return { status: 'cancelled', 'operation.was.status': 'queued' };
  const sameCounters = ['retryCounter', 'givenBackCounter'].map((field) => ({
    $eq: [`$${field}`, `$operation.was.${field}`],
  }));
  return {
    status: 'queued',
    ...(action === 'move' && to !== undefined && { queue: to }),
    ...(action === 'reprioritise' && priority !== undefined && { priority }),
    $expr: { $and: sameCounters },
  };
}

/** Whether a job waits for other jobs. Such a job goes on waiting. */
const isHeld = { $gt: [{ $size: { $ifNull: ['$waitsFor', []] } }, 0] };

function undoing({ action }: OperationDocument): Document[] {
  const undone = { $set: { 'operation.isUndone': true } };
  switch (action) {
    case 'retry':
      return [
        {
          $set: {
            ...Object.fromEntries(
              (
                [
                  'status',
                  'completed',
                  'expireAt',
                  'runAt',
                  'queued',
                  'maxRetries',
                  'failureKey',
                  'cancelRequested',
                ] as const
              ).map((field) => [field, before(field)]),
            ),
            freedUniqueKey: { $ifNull: ['$uniqueKey', '$$REMOVE'] },
            uniqueKey: '$$REMOVE',
            claimable: '$$REMOVE',
            waitsFor: '$$REMOVE',
          },
        },
        { $set: withoutLimitsExceptOrder },
        undone,
      ];
    case 'cancel':
      return [
        {
          $set: {
            status: 'queued',
            queued: before('queued'),
            claimable: { $cond: [isHeld, false, unlessAlone] },
            uniqueKey: { $ifNull: ['$freedUniqueKey', '$$REMOVE'] },
            ...withoutLimits,
          },
        },
        { $unset: ['completed', 'cancelRequested', 'expireAt', 'freedUniqueKey'] },
        undone,
      ];
    case 'move':
      return [{ $set: { queue: before('queue') } }, undone];
    case 'reprioritise':
      return [{ $set: { priority: before('priority') } }, undone];
    case 'remove':
      return [];
  }
}

async function removeSlice(
  jobs: Collection<JobDocument>,
  operation: OperationDocument,
  ids: readonly string[],
  found: readonly Found[],
  after: OperationHooks,
): Promise<number> {
  const removable: Filter<JobDocument> = {
    ...ourJob,
    ...selected(operation),
    _id: { $in: [...ids] },
    group: { $exists: false },
    $expr: isNotAhead,
  };
  await jobs.deleteMany(removable, byId);
  const left = new Set((await findAll(jobs, ids)).map(({ _id }) => _id));
  await after.freeing(
    found.filter(({ _id, status, slots }) => status === 'error' && slots !== undefined && !left.has(_id)),
  );
  return ids.length - left.size;
}

/** The statuses of jobs that each action accepts. The first is the default. */
export const statusesOf: Readonly<Record<OperationDocument['action'], readonly [JobStatus, ...JobStatus[]]>> =
  {
    retry: ['error', 'cancelled'],
    cancel: ['queued', 'processing'],
    remove: [...settledStatuses],
    move: ['queued'],
    reprioritise: ['queued'],
  };
