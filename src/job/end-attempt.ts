import type { Document } from 'mongodb';
import type { Failure } from './failure.js';
import { failureDigest, LOST_MESSAGE } from './failure-key.js';
import type { HeldSlot, JobLimit } from './flow-rules.js';
import { type SettledStatus, settledStatuses } from './job.js';
import { DEFAULT_RETENTION } from './job-options.js';
import type { Outcome, Settlement, Stepped } from './outcome.js';
import { beginRun, beginToUndo, hasStepped, storeSteps, storeWaits, wakeUp } from './step-statements.js';

/** Maximum number of errors kept. Older ones are dropped, and counted in `errorsDropped`. */
const MAX_ERRORS = 20;

/**
 * How often in a row a job may be given back because its invocation ran out of time. After that, the job is considered
 * too long for the worker. A lower limit would end jobs that fit but often start late in a busy worker. A higher one
 * would waste more invocations on a job that never fits.
 */
export const MAX_UNFINISHED = 10;

/**
 * Returns the update pipeline that ends an attempt. Only the pipelines in this file move a job out of `processing`.
 *
 * The stored document decides what follows (cancelled? attempts left?), not the worker's copy. So a concurrent change
 * by `cancelJob` counts. The caller's filter names the lease. If it matches nothing, another worker holds the lease by
 * now, and nothing was changed.
 *
 * User values stand inside `$literal`, so that none is evaluated.
 *
 * @param flow given if the job holds places in limits, or a moment. It loses them, except if it was given back. It keeps
 *   the places that it holds until it is settled
 * @param hasPeriod whether the job may keep its unique key for a time
 */
export function endAttempt(
  outcome: Outcome | Stepped,
  flow?: Settlement['flow'],
  hasPeriod = false,
): Document[] {
  if (outcome.kind === 'stepped') return storeSteps(outcome.writes);
  return [
    ...endingOf(outcome),
    ...(flow ? freeingSlots(outcome, flow) : []),
    ...(hasPeriod ? [keepingKey] : []),
  ];
}

/** Gives a job its unique key back whose period is not over. A job that was cancelled has freed it for good. */
const keepingKey = {
  $set: {
    uniqueKey: {
      $cond: [
        { $and: [{ $in: ['$status', ['completed', 'error']] }, { $gt: ['$uniqueUntil', '$$NOW'] }] },
        '$freedUniqueKey',
        '$uniqueKey',
      ],
    },
  },
};

function endingOf(outcome: Outcome): Document[] {
  switch (outcome.kind) {
    case 'completed':
      return ending('completed', { output: whenCompleted({ $literal: outcome.output ?? null }) });
    case 'failed':
      return ending(outcome.retryAfterMs === null ? 'error' : retryOrError, {
        ...withError(literalFailure(outcome.failure)),
        failureKey: failedLike(failureDigest(outcome.failure)),
        runAt: whenQueued({ $add: ['$$NOW', outcome.retryAfterMs ?? 0] }, '$runAt'),
      });
    case 'snoozed':
      return ending('queued', {
        ...attemptNotUsedUp,
        runAt: whenQueued({ $add: ['$$NOW', outcome.delayMs] }, '$runAt'),
      });
    case 'suspended':
      return [
        ...storeSteps(outcome.writes),
        storeWaits(outcome.waits),
        ...ending('queued', {
          ...attemptNotUsedUp,
          runAt: whenQueued(wakeUp(outcome.waits), '$runAt'),
          uniqueKey: whenQueued(unlessClaimed('$uniqueKey'), byStatus.uniqueKey),
          ...(outcome.isUndoing && { maxRetries: withAttemptsToUndo, 'steps.undo': 'underWay' }),
        }),
      ];
    case 'continued':
      return [
        ...beginRun(),
        ...ending('queued', {
          ...attemptNotUsedUp,
          retryCounter: 0,
          lostCounter: '$$REMOVE',
          input: { $literal: outcome.input },
          keys: outcome.keys ? { $literal: outcome.keys } : '$$REMOVE',
          runAt: whenQueued('$$NOW', '$runAt'),
          progress: '$$REMOVE',
        }),
      ];
    case 'givenBack':
      if (!outcome.atDeadline) return ending('queued', { ...attemptNotUsedUp, ...stillUnfinished });
      return outcome.isUndoable ? undoUnfinished() : endUnfinished();
  }
}

/**
 * Returns a shorter pipeline than `endAttempt` for the usual case, completed attempts. The filter must match only these
 * jobs, and none that is to be cancelled. Their status is then known and nothing is left to decide.
 *
 * @param havePeriods whether some of the jobs may keep their unique keys for a time
 */
export function completeAttempts(completed: readonly CompletedJob[], havePeriods = false): Document[] {
  const ending = {
    status: 'completed',
    output: outputOf(completed),
    completed: '$$NOW',
    freedUniqueKey: '$uniqueKey',
    expireAt: keptFor(retentionMsOf('completed')),
  };
  const completing = { $set: { ...ending, ...reset, ...unleased, uniqueKey: '$$REMOVE' } };
  return [completing, ...(havePeriods ? [keepingKey] : [])];
}

/**
 * Frees the places of a job. A job that completed or was cancelled holds none in any case: see `slotIndex`.
 */
function freeingSlots({ kind }: Outcome, flow: Settlement['flow']): Document[] {
  if (kind === 'completed') return [];
  if (kind === 'givenBack') return [unslottedAfterError];
  if (flow === 'limited') return [{ $unset: ['slots', 'postponedBy'] }];
  const slots = {
    $switch: {
      branches: [
        { case: { $eq: ['$status', 'queued'] }, then: placesUntilSettled },
        { case: { $and: [{ $eq: ['$status', 'error'] }, isStopped] }, then: placeInOrder },
      ],
      default: '$$REMOVE',
    },
  };
  return [{ $set: { slots, postponedBy: '$$REMOVE' } }];
}

/** Returns an expression for the places in limits whose keys begin with one of these words. Missing if there are none. */
function placesIn(...kinds: readonly string[]): Document {
  const isOne = { $or: kinds.map((kind) => ({ $eq: [{ $indexOfCP: ['$$slot.key', `${kind} `] }, 0] })) };
  const held = { $filter: { input: { $ifNull: ['$slots', []] }, as: 'slot', cond: isOne } };
  return { $let: { vars: { held }, in: { $cond: [{ $eq: ['$$held', []] }, '$$REMOVE', '$$held'] } } };
}

/** The place of a job in its strict order. Missing if it has none. */
export const placeInOrder = placesIn('order');

/** The places that a job keeps until it is settled. See `isHeldUntilSettled`. */
const placesUntilSettled = placesIn('order', 'unique');

/** Whether a failed job holds up the jobs behind it. */
const isStopped = { $in: [true, { $ifNull: ['$limits.stops', []] }] };

const unslottedAfterError = {
  $set: {
    slots: {
      $cond: [{ $eq: ['$status', 'error'] }, { $cond: [isStopped, placeInOrder, '$$REMOVE'] }, '$slots'],
    },
  },
};

/** Where a claimed job goes that may not run yet. */
export type TurnedAway =
  /** It waits in line for a place in a limit, and keeps the places that it has. */
  | {
      readonly kind: 'blocked';
      readonly by: string;
      readonly limits: readonly JobLimit[];
      readonly slots: readonly HeldSlot[];
    }
  /** It waits for the moment that a rate limit gave it. Without `by`, for the index of places. */
  | { readonly kind: 'postponed'; readonly until: Date; readonly by?: string }
  /** It goes back to where it was, because the worker has no room. */
  | { readonly kind: 'returned' };

/** Returns the update pipeline that returns a claimed job to the queue before its attempt began. */
export function turnAway(to: TurnedAway): Document[] {
  const { givenBackCounter: _, ...notBegun } = attemptNotUsedUp;
  const kept = { ...notBegun, ...stillUnfinished, queued: '$queued', started: '$$REMOVE' };
  switch (to.kind) {
    case 'blocked': {
      const { by, limits, slots } = to;
      const claimable = whenQueued(false, '$$REMOVE');
      const blockedBy = whenQueued({ $literal: by }, '$$REMOVE');
      return ending('queued', {
        ...kept,
        claimable,
        blockedBy,
        limits: { $literal: limits },
        slots: slots.length > 0 ? { $literal: slots } : '$$REMOVE',
      });
    }
    case 'postponed':
      return ending('queued', {
        ...kept,
        runAt: to.until,
        postponedBy: to.by === undefined ? '$$REMOVE' : { $literal: to.by },
        slots: placesUntilSettled,
      });
    case 'returned':
      return ending('queued', kept);
  }
}

/** A job and the output of its attempt. */
interface CompletedJob {
  readonly id: string;
  readonly output: unknown;
}

/** Returns an expression for a job's output, found by the index of its id. */
function outputOf(completed: readonly CompletedJob[]): Document {
  const outputs = completed.map(({ output }) => output ?? null);
  const [first] = outputs;
  if (outputs.every((output) => Object.is(output, first))) return { $literal: first };
  const ids = completed.map(({ id }) => id);
  return { $arrayElemAt: [{ $literal: outputs }, { $indexOfArray: [{ $literal: ids }, '$_id'] }] };
}

/**
 * Ends an attempt whose worker let its lease expire, and records which worker lost it and when.
 *
 * An attempt that stored a step is not used up: the job has made progress, and does not repeat that step.
 *
 * @param inCompany whether other jobs ran in that worker. Any of them may have killed it, so none uses up an attempt,
 *   and each runs alone next time, which shows the culprit
 */
export function endLostAttempt(inCompany: boolean): Document[] {
  const changes = changesOfLost(lostMessage(inCompany));
  const ended = inCompany
    ? ending('queued', { ...attemptNotUsedUp, ...changes })
    : [
        ...ending({ $cond: [hasStepped, 'queued', retryOrError] }, { ...changes, ...unlessStepped }),
        keepingKey,
      ];
  return [...ended, unslottedAfterError];
}

/** As `endLostAttempt`, for the last attempt of a job that was alone and can be undone: its next attempts do that. */
export function undoLostAttempt(): Document[] {
  const message = lostMessage(false);
  const changes = { ...attemptNotUsedUp, ...changesOfLost(message), maxRetries: withAttemptsToUndo };
  return [beginToUndo(message), ...ending('queued', changes), unslottedAfterError];
}

function changesOfLost(message: Document): Document {
  // Without the token, a late outcome cannot take this ending for its own.
  const key = failedLike(failureDigest({ message: LOST_MESSAGE }));
  return {
    ...withError({ message }),
    failureKey: key,
    runAlone: true,
    claimable: '$$REMOVE',
    lastToken: '$$REMOVE',
  };
}

function lostMessage(inCompany: boolean): Document {
  return {
    $concat: [
      'worker ',
      '$lease.worker',
      ' lost its lease: the attempt began at ',
      { $toString: '$started' },
      ', the lease expired at ',
      { $toString: '$lease.expires' },
      ', and was found at ',
      { $toString: '$$NOW' },
      inCompany ? '; other jobs ran beside it, so it is run alone next' : '',
    ],
  };
}

/** Returns the update pipeline that cancels a queued job, or notes that a running job is to be cancelled. */
export function requestCancel(): Document[] {
  const cancelRequested = { $ifNull: ['$cancelRequested', '$$NOW'] };
  const status = whenQueued('cancelled', '$status');
  return [
    { $set: { status, cancelRequested, claimable: '$$REMOVE', blockedBy: '$$REMOVE' } },
    { $set: byStatus },
  ];
}

const deathsBefore = { $ifNull: ['$lostCounter', 0] };

/**
 * If the attempt stored a step, allows as many more attempts as workers that died had used up before. So a long job of
 * which many workers die in their first moments ends in `error` only if that many die in a row before it gets on.
 */
const moreAttempts = {
  maxRetries: { $add: ['$maxRetries', { $cond: [hasStepped, deathsBefore, 0] }] },
  lostCounter: { $cond: [hasStepped, '$$REMOVE', '$lostCounter'] },
};

/** The counters of an attempt that is used up unless it stored a step. */
const unlessStepped = {
  ...moreAttempts,
  retryCounter: { $subtract: ['$retryCounter', { $cond: [hasStepped, 1, 0] }] },
  givenBackCounter: { $add: ['$givenBackCounter', { $cond: [hasStepped, 1, 0] }] },
  lostCounter: { $cond: [hasStepped, '$$REMOVE', { $add: [deathsBefore, 1] }] },
};

/**
 * Gives a job back because time was up. After too many times in a row in which it made no progress, the job ends in
 * `error` instead.
 */
function endUnfinished(): Document[] {
  const status = { $cond: [isTooLong, 'error', 'queued'] };
  return ending(status, {
    ...attemptNotUsedUp,
    ...moreAttempts,
    unfinishedCounter: unfinished,
    failureKey: failedLike(failureDigest({ message: TOO_LONG })),
    errors: { $cond: [{ $eq: ['$status', 'error'] }, appended({ message: TOO_LONG }), '$errors'] },
    errorsDropped: { $cond: [{ $eq: ['$status', 'error'] }, droppedByOneMore, '$errorsDropped'] },
  });
}

/** As `endUnfinished`, for a job whose steps can be undone: it is not ended after too many times, but given attempts for that. */
function undoUnfinished(): Document[] {
  return [
    beginToUndo(TOO_LONG, isTooLong),
    ...ending('queued', {
      ...attemptNotUsedUp,
      ...moreAttempts,
      unfinishedCounter: { $cond: [isTooLong, '$$REMOVE', unfinished] },
      maxRetries: { $cond: [isTooLong, withAttemptsToUndo, moreAttempts.maxRetries] },
    }),
  ];
}

const unfinished = { $cond: [hasStepped, 0, { $add: [{ $ifNull: ['$unfinishedCounter', 0] }, 1] }] };
const isTooLong = { $gte: [unfinished, MAX_UNFINISHED] };
const TOO_LONG = `given back ${MAX_UNFINISHED} times in a row, since its invocation's time was up each time before it ended: it does not fit. Give the worker more time, or split the job.`;

const retryOrError = { $cond: [{ $gte: ['$retryCounter', '$maxRetries'] }, 'error', 'queued'] };

/** The value of `claimable` for a queued job. Missing if the job must run alone. */
export const unlessAlone = { $cond: ['$runAlone', '$$REMOVE', true] };

/** Lets a queued job come to its limits anew, without a place in any. */
export const withoutLimits = { blockedBy: '$$REMOVE', slots: '$$REMOVE', postponedBy: '$$REMOVE' };

/** As `withoutLimits`, except that a failed job that holds up a strict order keeps its place in it. */
export const withoutLimitsExceptOrder = {
  ...withoutLimits,
  slots: { $cond: [{ $eq: ['$status', 'error'] }, placeInOrder, '$$REMOVE'] },
};

/** A job that has begun keeps no key that it has until it is claimed, though it is queued while it is suspended. */
function unlessClaimed(uniqueKey: string): Document {
  return { $cond: [{ $eq: ['$uniqueUntil', 'claimed'] }, '$$REMOVE', uniqueKey] };
}

/** A job that fails for good has this many attempts to undo its steps, since its worker may die meanwhile. */
const ATTEMPTS_TO_UNDO = 5;

const withAttemptsToUndo = { $max: ['$maxRetries', { $add: ['$retryCounter', ATTEMPTS_TO_UNDO - 1] }] };

const attemptNotUsedUp = {
  retryCounter: { $subtract: ['$retryCounter', 1] },
  givenBackCounter: { $add: ['$givenBackCounter', 1] },
  runAlone: '$runAlone',
  claimable: whenQueued(unlessAlone, '$$REMOVE'),
};

/** Keeps the counter when an attempt was stopped or never began, since that does not show whether the job fits. */
const stillUnfinished = { unfinishedCounter: '$unfinishedCounter' };

/**
 * Clears both marks by default: an attempt that ended by itself, well or badly, fitted into the invocation and did not
 * kill its worker.
 */
const reset = { unfinishedCounter: '$$REMOVE', runAlone: '$$REMOVE' };

/** Removes the lease and keeps only its token. */
const unleased = { lease: '$$REMOVE', lastToken: '$lease.token' };

/** Returns stages that set the status first, then the fields that depend on it, including `changes`. */
function ending(statusUnlessCancelled: string | Document, changes: Document): Document[] {
  const isCancelled = { $ne: [{ $type: '$cancelRequested' }, 'missing'] };
  const status = { $cond: [isCancelled, 'cancelled', statusUnlessCancelled] };
  const claimable = whenQueued(true, '$$REMOVE');
  return [{ $set: { status } }, { $set: { ...unleased, ...reset, claimable, ...byStatus, ...changes } }];
}

const excess = { $max: [{ $subtract: [{ $size: '$errors' }, MAX_ERRORS - 1] }, 0] };
const dropped = { $add: [{ $ifNull: ['$errorsDropped', 0] }, excess] };
/** The number of dropped errors once another error is appended. */
const droppedByOneMore = { $cond: [{ $gt: [dropped, 0] }, dropped, '$$REMOVE'] };

/** How long a job with this status is kept. `'forever'` for a job that is not settled. */
const retentionMs = {
  $switch: {
    branches: settledStatuses.map((status) => ({
      case: { $eq: ['$status', status] },
      then: retentionMsOf(status),
    })),
    default: 'forever',
  },
};

function retentionMsOf(status: SettledStatus): Document {
  return { $ifNull: [`$retention.${status}`, DEFAULT_RETENTION[status]] };
}

/** A job that a scheduler item made ahead is kept at least until its occurrence. See remove-jobs.ts. */
const keptFrom = { $max: ['$$NOW', '$occurrence.at'] };

/**
 * Returns when a job expires, or nothing for `'forever'`. With retention 0 it expires now, and the TTL index removes it
 * within a minute if settling did not.
 */
function keptFor(ms: Document): Document {
  return { $cond: [{ $eq: [ms, 'forever'] }, '$$REMOVE', { $add: [keptFrom, ms] }] };
}

/** Fields that depend on whether the new status is queued, settled, or neither. */
const byStatus = {
  queued: whenQueued('$$NOW', '$queued'),
  completed: whenSettled('$$NOW', '$$REMOVE'),
  uniqueKey: whenSettled('$$REMOVE', '$uniqueKey'),
  freedUniqueKey: whenSettled('$uniqueKey', '$$REMOVE'),
  expireAt: keptFor(retentionMs),
};

function whenQueued(value: unknown, otherwise: unknown): Document {
  return { $cond: [{ $eq: ['$status', 'queued'] }, value, otherwise] };
}

function whenSettled(value: unknown, otherwise: unknown): Document {
  return { $cond: [{ $in: ['$status', settledStatuses] }, value, otherwise] };
}

function whenCompleted(value: unknown): Document {
  return { $cond: [{ $eq: ['$status', 'completed'] }, value, '$$REMOVE'] };
}

/** Returns an expression for the key of a group of failures. Missing unless the job is in `error`. */
function failedLike(digest: string): Document {
  return { $cond: [{ $eq: ['$status', 'error'] }, { $concat: ['$jobName', ':', digest] }, '$$REMOVE'] };
}

function withError(failure: Document): Document {
  return { errors: appended(failure), errorsDropped: droppedByOneMore };
}

function appended(failure: Document): Document {
  const entry = { at: '$$NOW', ...failure, attempt: '$retryCounter' };
  return { $slice: [{ $concatArrays: ['$errors', [entry]] }, -MAX_ERRORS] };
}

function literalFailure(failure: Failure): Document {
  return Object.fromEntries(Object.entries(failure).map(([name, value]) => [name, { $literal: value }]));
}
