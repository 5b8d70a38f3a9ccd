import type { Document } from 'mongodb';
import {
  type CursorWrite,
  endStates,
  FAILURE,
  MAX_SIGNAL_IDS,
  NEVER,
  type StepWait,
  type StepWrite,
  type StepWrites,
  type StoredSignal,
  type WaitWrite,
} from './step-log.js';

/**
 * Returns the update stages that store steps, and take their signals out of the mailbox. The caller's filter names the
 * lease. Storing a step again changes only its times. The stages may precede those of `endAttempt`.
 *
 * The lease is marked: losing it now uses up no attempt, because the job has made progress. See attempt-counters.ts.
 */
export function storeSteps({ steps, version, page, drops = [] }: StepWrites): Document[] {
  // A cursor may be on its way while the end of its iteration is stored.
  const cursors = steps.filter(({ state }) => state === 'iterating');
  const certain = steps.filter(({ state }) => state !== 'iterating');
  const replaced = [...certain.map(({ name }) => name), ...(page?.names ?? [])];
  const taken = [...drops.map(({ key }) => key), ...steps.flatMap(({ takes }) => takes ?? [])];
  return [
    {
      $set: {
        ...inRunOf(version),
        ...(replaced.length > 0 && {
          'stepLog.entries': { $concatArrays: [entriesExcept(replaced), certain.map(toEntry)] },
        }),
        ...(page && { 'stepLog.pages': { $setUnion: [{ $ifNull: ['$stepLog.pages', []] }, [page.id]] } }),
        ...(taken.length > 0 && { 'stepLog.signals': signalsExcept(taken) }),
        ...(drops.length > 0 && { 'stepLog.signalIds': idsExcept(drops.map(({ name }) => name)) }),
        ...(steps.some(({ kind }) => kind === 'fanOut') && { 'steps.children': true }),
        ...(steps.some(isProgress) && { 'lease.stepped': true }),
        ...(steps.some(({ isUndoable }) => isUndoable) && { 'steps.undo': 'possible' }),
      },
    },
    ...storeCursors(cursors.map((cursor) => ({ ...cursor, version }))),
  ];
}

/** Marks a job as one that has steps or signals. It is in its first run unless it has begun another. */
const inRun = { 'steps.run': { $ifNull: ['$steps.run', 1] } };

/** Fields of a job that stores a step. The first step of a run decides the version. */
function inRunOf(version: number): Document {
  return { ...inRun, 'steps.version': { $ifNull: ['$steps.version', version] } };
}

/** Returns whether storing this is progress: the job does not repeat the step. */
export function isProgress({ state }: Pick<StepWrite, 'state'>): boolean {
  return state !== 'begun' && state !== 'retrying';
}

function toEntry({ name, kind, state, agoMs, tries, result, failure, cursor, calls }: StepWrite): Document {
  return {
    name: { $literal: name },
    kind,
    state,
    ...(tries !== undefined && { tries }),
    ...(calls !== undefined && { calls }),
    began: { $subtract: ['$$NOW', Math.round(agoMs)] },
    stored: '$$NOW',
    ...(result !== undefined && { result: { $literal: result } }),
    ...(failure !== undefined && { failure: { $literal: failure } }),
    ...(cursor !== undefined && { cursor: { $literal: cursor } }),
  };
}

const entries = { $ifNull: ['$stepLog.entries', []] };

function entriesExcept(names: readonly string[]): Document {
  return {
    $filter: { input: entries, as: 'step', cond: { $not: [{ $in: ['$$step.name', literal(names)] }] } },
  };
}

const signals = { $ifNull: ['$stepLog.signals', []] };

function signalsExcept(keys: readonly string[]): Document {
  return {
    $filter: { input: signals, as: 'signal', cond: { $not: [{ $in: ['$$signal.key', literal(keys)] }] } },
  };
}

function idsExcept(ids: readonly string[]): Document {
  const input = { $ifNull: ['$stepLog.signalIds', []] };
  return { $filter: { input, as: 'id', cond: { $not: [{ $in: ['$$id', literal(ids)] }] } } };
}

function literal(texts: readonly string[]): Document {
  return { $literal: [...texts] };
}

/**
 * Returns the stages that store where iterations go on, and waits that have ended. A cursor changes nothing if a later
 * cursor or the end of its step is already stored.
 */
export function storeCursors(cursors: readonly CursorWrite[]): Document[] {
  return cursors.map(({ version, ...write }) => ({
    $set: {
      ...inRunOf(version),
      'lease.stepped': true,
      'stepLog.entries': {
        $cond: [
          isOvertaken(write),
          '$stepLog.entries',
          { $concatArrays: [entriesExcept([write.name]), [toEntry(write)]] },
        ],
      },
    },
  }));
}

function isOvertaken({ name, state, calls = 0 }: StepWrite): Document {
  const isLater =
    state === 'iterating'
      ? { $or: [{ $ne: ['$$step.state', state] }, { $gte: ['$$step.calls', calls] }] }
      : { $in: ['$$step.state', endStates] };
  const cond = { $and: [{ $eq: ['$$step.name', { $literal: name }] }, isLater] };
  return { $gt: [{ $size: { $filter: { input: entries, as: 'step', cond } } }, 0] };
}

/**
 * Returns the stage after which the next attempts of a job undo its steps.
 *
 * @param message expression for the failure with which the job ends then
 * @param when expression
 */
export function beginToUndo(message: unknown, when: unknown = true): Document {
  const failure = { name: FAILURE, kind: 'compensation', state: 'begun', began: '$$NOW', stored: '$$NOW' };
  const failed = [{ ...failure, failure: { message } }];
  return {
    $set: {
      'steps.undo': { $cond: [when, 'underWay', '$steps.undo'] },
      'stepLog.entries': { $cond: [when, { $concatArrays: [entries, failed] }, entries] },
    },
  };
}

/** Returns the stage that stores what a suspended job waits for. */
export function storeWaits(waits: readonly WaitWrite[]): Document {
  return { $set: { 'steps.waits': waits.map(toWait) } };
}

function toWait({ name, kind, signal, on, agoMs, until }: WaitWrite): Document {
  return {
    name: { $literal: name },
    kind,
    ...(on !== undefined && { on: { $literal: on } }),
    ...(signal !== undefined && { signal: { $literal: signal } }),
    began: { $subtract: ['$$NOW', Math.round(agoMs)] },
    ...(until !== undefined && { until: until instanceof Date ? until : { $add: ['$$NOW', until] } }),
  };
}

/**
 * Returns when a job with stored waits goes on: now, if a signal that it waits for is there, and else at the earliest
 * moment of its waits.
 */
export function wakeUp(waits: readonly WaitWrite[]): Document {
  const awaited = waits.flatMap(({ signal }) => signal ?? []);
  if (awaited.length === 0) return earliestWait;
  const names = { $ifNull: ['$stepLog.signals.name', []] };
  const isThere = { $gt: [{ $size: { $setIntersection: [names, literal(awaited)] } }, 0] };
  return { $cond: [isThere, '$$NOW', earliestWait] };
}

const earliestWait = { $ifNull: [{ $min: '$steps.waits.until' }, NEVER] };

/** Whether a job waits for nothing except its steps. Otherwise a rate limit or a failed attempt has put it off since. */
const waitsForSteps = { $eq: ['$runAt', earliestWait] };

/** The `runAt` of a suspended job that need not wait any longer. */
export const wakingUp = { $cond: [waitsForSteps, { $min: ['$runAt', '$$NOW'] }, '$runAt'] };

/** Returns the stages that begin a new run: no step is stored, nothing is waited for, and the signals stay. */
export function beginRun(): Document[] {
  return [
    { $set: { 'steps.run': { $add: [{ $ifNull: ['$steps.run', 1] }, 1] } } },
    { $unset: ['steps.version', 'steps.waits', 'steps.undo', 'stepLog.entries', 'stepLog.pages'] },
  ];
}

/** Whether the attempt has stored a step. */
export const hasStepped = { $eq: ['$lease.stepped', true] };

/**
 * Returns the update pipeline that puts a signal into a job's mailbox, and lets the job go on if it waits for it. The
 * caller's filter refuses a full mailbox.
 *
 * @param signalId id chosen by the sender, if any
 */
export function addSignal(
  { name, key, payload }: Omit<StoredSignal, 'at'>,
  signalId: string | undefined,
): Document[] {
  const signal = {
    name: { $literal: name },
    key,
    at: '$$NOW',
    ...(payload !== undefined && { payload: { $literal: payload } }),
  };
  const ids = { $concatArrays: [{ $ifNull: ['$stepLog.signalIds', []] }, [{ $literal: signalId }]] };
  const isAwaited = {
    $and: [
      { $eq: ['$status', 'queued'] },
      { $in: [{ $literal: name }, { $ifNull: ['$steps.waits.signal', []] }] },
      waitsForSteps,
    ],
  };
  return [
    {
      $set: {
        ...inRun,
        'stepLog.signals': { $concatArrays: [signals, [signal]] },
        ...(signalId !== undefined && { 'stepLog.signalIds': { $slice: [ids, -MAX_SIGNAL_IDS] } }),
        runAt: { $cond: [isAwaited, { $min: ['$runAt', '$$NOW'] }, '$runAt'] },
      },
    },
  ];
}

/** Returns the moment at which a suspended job goes on by itself, as `earliestWait` computes it. */
export function goesOnAt(waits: readonly StepWait[]): Date {
  return new Date(Math.min(NEVER.getTime(), ...waits.flatMap(({ until }) => until?.getTime() ?? [])));
}

/** Matches jobs whose mailbox has fewer signals than this. */
export function hasFewerSignals(than: number): Document {
  return { [`stepLog.signals.${than - 1}`]: { $exists: false } };
}

const mailbox = { signals, signalIds: { $ifNull: ['$stepLog.signalIds', []] } };

const isCompensation = {
  $and: [{ $eq: ['$$step.kind', 'compensation'] }, { $ne: ['$$step.name', FAILURE] }],
};

const isUndone = { $gt: [{ $size: { $filter: { input: entries, as: 'step', cond: isCompensation } } }, 0] };

const isOver = { $in: ['$$step.state', ['failed', 'begun']] };

const hasChildren = { $and: [{ $eq: ['$$step.kind', 'fanOut'] }, { $ne: ['$$step.state', 'completed'] }] };

/** Children are not added anew. Those that failed are queued again. */
const withChildrenAgain = {
  $map: {
    input: entries,
    as: 'step',
    in: { $cond: [hasChildren, { $mergeObjects: ['$$step', { state: 'retrying' }] }, '$$step'] },
  },
};

const withoutFailed = {
  $mergeObjects: [
    '$stepLog',
    { entries: { $filter: { input: withChildrenAgain, as: 'step', cond: { $not: [isOver] } } } },
  ],
};

const anotherRun = { run: { $add: ['$steps.run', 1] } };

function unlessMissing(field: string, value: unknown): Document {
  return { $cond: [{ $eq: [{ $type: field }, 'missing'] }, '$$REMOVE', value] };
}

/** Fields of a job that begins another run without any steps, and waits for nothing. Its signals stay. */
export const inAnotherRun = {
  steps: unlessMissing('$steps', anotherRun),
  stepLog: unlessMissing('$stepLog', mailbox),
};

const noLongerUndoing = {
  $cond: [
    { $eq: ['$steps.undo', 'underWay'] },
    { $mergeObjects: ['$steps', { undo: 'possible' }] },
    { $ifNull: ['$steps', '$$REMOVE'] },
  ],
};

/**
 * Fields of a job that a person retries. Its failed steps are tried anew, in the same run. A job with an undone step begins
 * another run without any steps.
 */
export const tryingStepsAnew = {
  steps: { $cond: [isUndone, anotherRun, noLongerUndoing] },
  stepLog: unlessMissing('$stepLog', { $cond: [isUndone, mailbox, withoutFailed] }),
};
