import type { ClientSession, Collection, Document } from 'mongodb';
import { byIndex, type IndexHint } from '../mongo/by-index.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { exclusiveLimit } from './flow-rules.js';
import { uniqueKeyIndex } from './indexes.js';
import { type NewJob, newDocument } from './insert-job.js';
import { type JobDocument, settledStatuses } from './job.js';
import { inAnotherRun } from './step-statements.js';

/** A new job with a unique key. */
export type KeyedJob = NewJob & { readonly uniqueKey: string };

/** Result of the statement. `holder` is the job that has the key. */
export type UniqueWrite =
  | { readonly kind: 'added' }
  /** `lost` has the keys of the limits in which the replaced job held places. Other jobs may have these places now. */
  | { readonly kind: 'replaced'; readonly id: string; readonly lost: readonly string[] }
  | { readonly kind: 'kept'; readonly holder: Holder }
  /** The holder has lost the key, because it no longer needs it. Repeat the statement to add the job. */
  | { readonly kind: 'freed' }
  /** A worker has claimed the holder, but its limits may not let it run yet. Repeat the statement soon. */
  | { readonly kind: 'undecided' }
  | { readonly kind: 'idExists' }
  /** Another add took the key at the same moment. Repeat the statement. */
  | { readonly kind: 'keyTaken' };

export type Holder = Pick<JobDocument, '_id' | 'jobName' | 'status' | 'input'>;

/** How to write a job with a unique key. */
export interface UniqueWriting {
  readonly session?: ClientSession | undefined;
  /** True to read the input of a holder that is kept. */
  readonly withInput: boolean;
  /** True to take the key even from a claimed job that may not be allowed to run yet. */
  readonly isImpatient: boolean;
}

/**
 * Adds a job with a unique key by one command. The command inserts the job, replaces the waiting job that has the key,
 * takes the key from a job that no longer needs it, or changes nothing. The stored document decides which, so no claim,
 * settling or other add can come in between.
 *
 * A key that is taken away belongs to another document, so a second command inserts the job.
 */
export async function addUniqueJob(
  jobs: Collection<JobDocument>,
  job: KeyedJob,
  { session, withInput, isImpatient }: UniqueWriting,
): Promise<UniqueWrite> {
  const { jobName, uniqueKey } = job;
  const options = {
    upsert: true,
    returnDocument: 'after',
    includeResultMetadata: true,
    projection: { ...seen, ...(replaces(job) && { lostSlots: 1 }), ...(withInput && { input: 1 }) },
    ...(session && { session }),
  } as const;
  const update = insertOrChange(job, isImpatient);
  try {
    const { value, lastErrorObject } = await byIndex(
      jobs,
      uniqueKeyIndex,
      (hint: IndexHint) => jobs.findOneAndUpdate({ jobName, uniqueKey }, update, { ...options, ...hint }),
      session,
    );
    if (value === null || lastErrorObject?.upserted !== undefined) return { kind: 'added' };
    return resultOf(value, job);
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return { kind: error.keyPattern?.uniqueKey === undefined ? 'idExists' : 'keyTaken' };
  }
}

const seen = { jobName: 1, uniqueKey: 1, uniqueUntil: 1, replacedBy: 1, exclusiveKey: 1, status: 1 } as const;

type Seen = Holder &
  Pick<JobDocument, 'uniqueKey' | 'uniqueUntil' | 'replacedBy' | 'exclusiveKey' | 'lostSlots'>;

function resultOf(after: Seen, job: KeyedJob): UniqueWrite {
  if (after.uniqueKey === undefined) return { kind: 'freed' };
  if (after.replacedBy === job.id) return { kind: 'replaced', id: after._id, lost: lostKeys(after) };
  return isUndecided(after, job) ? { kind: 'undecided' } : { kind: 'kept', holder: after };
}

/** Returns the keys of the limits in which a replaced job held a place. */
export function lostKeys({ lostSlots = [] }: Pick<JobDocument, 'lostSlots'>): string[] {
  return lostSlots.map(({ key }) => key);
}

/** Returns whether an exclusive job was claimed, but has no place yet. With a place, it would have lost the key. */
function isUndecided({ _id, status, uniqueUntil, exclusiveKey }: Seen, job: KeyedJob): boolean {
  const isClaimed = status === 'processing' && uniqueUntil === 'claimed';
  return isClaimed && exclusiveKey !== undefined && _id !== job.id;
}

/** Whether adding this job changes a waiting job that has its key. */
export function replaces({ sharing }: NewJob): boolean {
  return sharing !== undefined && sharing.mode !== 'keep';
}

/** Returns the update pipeline of an upsert by job name and unique key. */
function insertOrChange(job: KeyedJob, isImpatient: boolean): Document[] {
  const isNew = { $eq: [{ $type: '$status' }, 'missing'] };
  const isReplaced = { $eq: ['$status', 'queued'] };
  const otherwise = replaces(job) ? { $cond: [isReplaced, replaced(job), '$$ROOT'] } : '$$ROOT';
  return [
    { $replaceWith: { $cond: [isNew, newDocument(job), otherwise] } },
    {
      $set: { uniqueKey: { $cond: [isDone(job, isImpatient), '$$REMOVE', '$uniqueKey'] }, ...unseenIfAlone },
    },
  ];
}

/** Returns the update pipeline that gives a waiting job the input and options of another. */
export function replaceWaiting(job: KeyedJob): Document[] {
  return [{ $replaceWith: replaced(job) }, { $set: unseenIfAlone }];
}

/** No claim sees a waiting job that must run alone. */
const unseenIfAlone = {
  claimable: {
    $cond: [{ $and: [{ $eq: ['$status', 'queued'] }, '$runAlone'] }, '$$REMOVE', '$claimable'],
  },
};

/** Whether the holder no longer needs its key. A job that this add has already added or replaced still needs the key. */
function isDone(job: KeyedJob, isImpatient: boolean): Document {
  const ours = { $in: [{ $literal: job.id }, ['$_id', '$replacedBy']] };
  const limit = { $literal: exclusiveLimit(job.jobName, job.uniqueKey).key };
  const mayRun = { $or: [{ $eq: [{ $type: '$exclusiveKey' }, 'missing'] }, { $in: [limit, slotKeys] }] };
  const isRunning = {
    $and: [
      { $eq: ['$status', 'processing'] },
      { $eq: ['$uniqueUntil', 'claimed'] },
      { $not: [ours] },
      ...(isImpatient ? [] : [mayRun]),
    ],
  };
  const isOver = { $and: [{ $in: ['$status', settledStatuses] }, { $lte: ['$uniqueUntil', '$$NOW'] }] };
  return { $or: [isRunning, isOver] };
}

const slotKeys = { $ifNull: ['$slots.key', []] };

/** Fields that stay when a job is replaced. All other fields are those of the new job, which comes to its limits anew. */
const kept = {
  _id: '$_id',
  created: '$created',
  queued: '$queued',
  picked: '$picked',
  started: '$started',
  retryCounter: '$retryCounter',
  givenBackCounter: '$givenBackCounter',
  errors: '$errors',
  errorsDropped: '$errorsDropped',
  attempts: '$attempts',
  runAlone: '$runAlone',
  lastToken: '$lastToken',
  log: '$log',
};

/** Returns an expression for the waiting job with the input and options of another. */
function replaced(job: KeyedJob): Document {
  const line = { $literal: exclusiveLimit(job.jobName, job.uniqueKey).key };
  const { blockedBy, limits = [] } = job;
  const entered = blockedBy === undefined ? '$$REMOVE' : { $literal: limits };
  // It goes on waiting for the running job of the same key, whatever its new input is.
  const inLine = (value: unknown, otherwise: unknown) => ({
    $cond: [{ $eq: ['$blockedBy', line] }, value, otherwise],
  });
  const changes = {
    claimable: inLine(false, blockedBy === undefined),
    blockedBy: inLine('$blockedBy', blockedBy === undefined ? '$$REMOVE' : { $literal: blockedBy }),
    limits: inLine('$limits', entered),
    slots: inLine('$slots', '$$REMOVE'),
    lostSlots: inLine('$$REMOVE', '$slots'),
    runAt: runAtOf(job),
    // The attempts that were used up do not count for the new input.
    maxRetries: { $add: [job.maxRetries, '$retryCounter'] },
    replacedBy: { $literal: job.id },
    // Its steps are those of another run, whose keys no service has seen. Its signals stay.
    ...inAnotherRun,
    ...(job.sharing?.periodMs !== undefined && { uniqueUntil: endOfPeriod(job.sharing.periodMs) }),
  };
  return { $mergeObjects: [newDocument(job), kept, changes] };
}

/** The period counts from the first add. */
function endOfPeriod(periodMs: number): Document {
  const isBegun = { $eq: [{ $type: '$uniqueUntil' }, 'date'] };
  return { $cond: [isBegun, '$uniqueUntil', { $add: ['$$NOW', periodMs] }] };
}

function runAtOf({ runAt, sharing }: KeyedJob): unknown {
  if (sharing?.mode === 'preserveRunAt') return '$runAt';
  const given = runAt instanceof Date ? runAt : { $add: ['$$NOW', runAt] };
  if (sharing?.maxWaitMs === undefined) return given;
  return { $min: [given, { $add: ['$queued', sharing.maxWaitMs] }] };
}
