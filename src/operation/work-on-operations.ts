import { randomUUID } from 'node:crypto';
import type { Collection } from 'mongodb';
import ms from 'ms';
import { listJobs } from '../job/list-jobs.js';
import { byId, byIndex } from '../mongo/by-index.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { changeSlice, type OperationHooks, undoSlice } from './change-slice.js';
import {
  dueOperations,
  isDueOperation,
  type OperationCollections,
  type OperationDocument,
  type SliceDocument,
  sliceId,
} from './operation-document.js';

/** Jobs per slice. A slice is small, so that it delays no other write for long. */
const SLICE = 500;

/** How long an operation belongs to the process that works on it. A slice takes a fraction of a second. */
const LEASE_MS = 30_000;

/** How long slices are kept after they were written. Without its slices, an operation cannot be undone. */
const SLICES_KEPT_MS = ms('1 day');

const isActive = { $in: ['$state', ['running', 'undoing']] };
const leased = { $cond: [isActive, { $add: ['$$NOW', LEASE_MS] }, '$$REMOVE'] };

/**
 * Continues operations that are due, slice by slice, until nothing is left to do or the time is up. Any number of processes may
 * do so at the same time. Each operation belongs to one of them at a time.
 *
 * @param until time after which no slice begins, by `Date.now()`
 * @param id id of the only operation to continue. Default: all
 * @returns whether any job was changed
 * @throws the driver's errors. Another process goes on then
 */
export async function workOnOperations(
  collections: OperationCollections,
  after: OperationHooks,
  until: number,
  id?: string,
): Promise<boolean> {
  let hasChanged = false;
  while (Date.now() < until) {
    const token = randomUUID();
    const taken = await take(collections, token, id);
    if (!taken) break;
    let operation: OperationDocument | null = taken;
    while (operation && operation.due !== undefined && Date.now() < until) {
      if (operation.state === 'running') operation = await goOn(collections, operation, token, after);
      else if (operation.state === 'undoing') operation = await goBack(collections, operation, token, after);
      else break;
      hasChanged = true;
    }
    await release(collections, taken._id, token);
  }
  return hasChanged;
}

function take(
  { operations }: OperationCollections,
  token: string,
  id?: string,
): Promise<OperationDocument | null> {
  const update = [{ $set: { token, due: leased } }];
  const options = { returnDocument: 'after' } as const;
  if (id !== undefined)
    return operations.findOneAndUpdate({ _id: id, ...isDueOperation }, update, { ...options, ...byId });
  return byIndex(operations, dueOperations, (hint) =>
    operations.findOneAndUpdate(isDueOperation, update, { ...options, sort: { due: 1 }, ...hint }),
  );
}

async function release({ operations }: OperationCollections, _id: string, token: string): Promise<void> {
  const due = { $cond: [isActive, '$$NOW', '$$REMOVE'] };
  await operations.updateOne({ _id, token }, [{ $set: { due } }, { $unset: 'token' }], byId);
}

/** Changes the jobs of the next slice. Returns the operation afterwards, or null if another process has it. */
async function goOn(
  collections: OperationCollections,
  operation: OperationDocument,
  token: string,
  after: OperationHooks,
): Promise<OperationDocument | null> {
  const { _id, slices } = operation;
  const { ids, cursor } = await nextSlice(collections, operation);
  const changed = await changeSlice(collections, operation, ids, after);
  const isOver = cursor === undefined;
  const state = isOver ? { $cond: [{ $eq: ['$state', 'running'] }, 'done', '$state'] } : '$state';
  const counted = {
    slices: slices + (ids.length > 0 ? 1 : 0),
    done: { $add: ['$done', changed] },
    skipped: { $add: ['$skipped', ids.length - changed] },
    cursor: cursor ?? '$$REMOVE',
    state,
  };
  const ended = isOver ? [{ $set: { ended: { $ifNull: ['$ended', '$$NOW'] } } }] : [];
  return collections.operations.findOneAndUpdate(
    { _id, token, slices },
    [{ $set: counted }, ...ended, { $set: { due: leased } }],
    { returnDocument: 'after', ...byId },
  );
}

/** Returns the slice that another process left unfinished, or stores the next one. */
async function nextSlice(
  { jobs, operationSlices }: OperationCollections,
  { _id, filter, endedBefore, endedAfter, cursor, slices, due = endedBefore }: OperationDocument,
): Promise<Pick<SliceDocument, 'ids' | 'cursor'>> {
  const filled = { ...filter, endedAfter, order: 'oldest', brief: true, limit: SLICE, cursor } as const;
  const page = await listJobs(jobs, filled, endedBefore);
  const ids = page.jobs.map(({ id }) => id);
  const next = page.cursor === undefined ? {} : { cursor: page.cursor };
  if (ids.length === 0)
    return (await operationSlices.findOne({ _id: sliceId(_id, slices) }, byId)) ?? { ids, ...next };
  const expireAt = new Date(due.getTime() + SLICES_KEPT_MS);
  const slice = { _id: sliceId(_id, slices), ids, ...next, expireAt };
  return written(operationSlices, slice);
}

/** Stores a slice, unless one with this number exists. Returns the stored one. */
async function written(
  operationSlices: Collection<SliceDocument>,
  slice: SliceDocument,
): Promise<SliceDocument> {
  try {
    await operationSlices.insertOne(slice);
    return slice;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return (await operationSlices.findOne({ _id: slice._id }, byId)) ?? slice;
  }
}

/** Undoes the next slice. Returns the operation afterwards, or null if another process has it. */
async function goBack(
  collections: OperationCollections,
  operation: OperationDocument,
  token: string,
  after: OperationHooks,
): Promise<OperationDocument | null> {
  const { operations, operationSlices } = collections;
  const { _id, undoneSlices, due = operation.started } = operation;
  // After the last slice comes an empty one: a process that was frozen meanwhile finds it in place of its own.
  const end = {
    _id: sliceId(_id, undoneSlices),
    ids: [],
    expireAt: new Date(due.getTime() + SLICES_KEPT_MS),
  };
  const { ids } = await written(operationSlices, end);
  const undone = await undoSlice(collections, operation, ids, after);
  const hasMore = ids.length > 0;
  const counted = hasMore
    ? { undoneSlices: undoneSlices + 1, undone: { $add: ['$undone', undone] } }
    : { state: 'undone' };
  return operations.findOneAndUpdate(
    { _id, token, undoneSlices },
    [{ $set: counted }, { $set: { due: leased } }],
    { returnDocument: 'after', ...byId },
  );
}
