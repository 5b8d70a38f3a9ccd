import type { Document } from 'mongodb';
import type { Failure } from './failure.js';
import { type SettledStatus, settledStatuses } from './job.js';
import { DEFAULT_RETENTION } from './job-options.js';
import type { Outcome } from './outcome.js';

/** Older ones are dropped, and counted in `errorsDropped`. */
const MAX_ERRORS = 20;

/**
 * How often in a row a job may be given back because its invocation's time was up: then it is too long for the
 * worker. Too few and a busy worker's deadlines end jobs that would fit; too many and one that never fits costs as
 * many invocations.
 */
export const MAX_UNFINISHED = 10;

/**
 * The one door out of `processing`: the update pipeline that ends an attempt, whoever ends it.
 *
 * The document decides what follows (cancelled? attempts left?), not the worker's copy of it, so a change made
 * meanwhile by `cancelJob` counts. A caller's filter names the lease; 0 matched means that the lease is somebody
 * else's by now, and that nothing was changed.
 *
 * Every value that is not ours stands inside `$literal`: nothing a user sends is evaluated.
 */
export function endAttempt(outcome: Outcome): Document[] {
  switch (outcome.kind) {
    case 'completed':
      return ending('completed', { output: whenCompleted({ $literal: outcome.output ?? null }) });
    case 'failed':
      return ending(outcome.retryAfterMs === null ? 'error' : retryOrError, {
        ...withError(literalFailure(outcome.failure)),
        runAt: whenQueued({ $add: ['$$NOW', outcome.retryAfterMs ?? 0] }, '$runAt'),
      });
    case 'snoozed':
      return ending('queued', {
        ...attemptNotUsedUp,
        runAt: whenQueued({ $add: ['$$NOW', outcome.delayMs] }, '$runAt'),
      });
    case 'givenBack':
      return outcome.atDeadline
        ? endUnfinished()
        : ending('queued', { ...attemptNotUsedUp, ...stillUnfinished });
  }
}

/**
 * As `endAttempt` of those that completed, for a filter that matches these jobs alone, and none whose cancelling was asked
 * for: then their status is known, nothing is left to be decided, and the statement is short. That is how most attempts end.
 */
export function completeAttempts(completed: readonly CompletedJob[]): Document[] {
  const ending = {
    status: 'completed',
    output: outputOf(completed),
    completed: '$$NOW',
    freedUniqueKey: '$uniqueKey',
    expireAt: keptFor(retentionMsOf('completed')),
  };
  return [{ $set: { ...ending, ...reset, ...unleased, uniqueKey: '$$REMOVE' } }];
}

/** A job, and what its attempt returned. */
interface CompletedJob {
  readonly id: string;
  readonly output: unknown;
}

/** Finds the output of each job at the place of its id. */
function outputOf(completed: readonly CompletedJob[]): Document {
  const outputs = completed.map(({ output }) => output ?? null);
  const [first] = outputs;
  if (outputs.every((output) => Object.is(output, first))) return { $literal: first };
  const ids = completed.map(({ id }) => id);
  return { $arrayElemAt: [{ $literal: outputs }, { $indexOfArray: [{ $literal: ids }, '$_id'] }] };
}

/**
 * Ends an attempt whose worker let its lease expire, and says who lost it and when.
 *
 * @param inCompany others were running in that worker: any of them may be the one that killed it. So none of them
 *   uses up an attempt, and each is run alone next time, which tells them apart.
 */
export function endLostAttempt(inCompany: boolean): Document[] {
  const message = {
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
  // No token: a late outcome must not take this ending for its own.
  const changes = {
    ...withError({ message }),
    runAlone: true,
    claimable: '$$REMOVE',
    lastToken: '$$REMOVE',
  };
  return inCompany ? ending('queued', { ...attemptNotUsedUp, ...changes }) : ending(retryOrError, changes);
}

/** Cancels a job that is queued, the only other way to be settled, or notes that a running one is to be. */
export function requestCancel(): Document[] {
  const cancelRequested = { $ifNull: ['$cancelRequested', '$$NOW'] };
  const status = whenQueued('cancelled', '$status');
  return [{ $set: { status, cancelRequested, claimable: '$$REMOVE' } }, { $set: byStatus }];
}

/** Given back because time was up; for the last time in a row, it ends in `error`. */
function endUnfinished(): Document[] {
  const unfinished = { $add: [{ $ifNull: ['$unfinishedCounter', 0] }, 1] };
  const status = { $cond: [{ $gte: [unfinished, MAX_UNFINISHED] }, 'error', 'queued'] };
  const message = `given back ${MAX_UNFINISHED} times in a row, since its invocation's time was up each time before it ended: it does not fit. Give the worker more time, or split the job.`;
  return ending(status, {
    ...attemptNotUsedUp,
    unfinishedCounter: unfinished,
    errors: { $cond: [{ $eq: ['$status', 'error'] }, appended({ message }), '$errors'] },
    errorsDropped: { $cond: [{ $eq: ['$status', 'error'] }, droppedByOneMore, '$errorsDropped'] },
  });
}

const retryOrError = { $cond: [{ $gte: ['$retryCounter', '$maxRetries'] }, 'error', 'queued'] };

/** `claimable` of a job that is queued: one that must run alone is not. */
export const unlessAlone = { $cond: ['$runAlone', '$$REMOVE', true] };

const attemptNotUsedUp = {
  retryCounter: { $subtract: ['$retryCounter', 1] },
  givenBackCounter: { $add: ['$givenBackCounter', 1] },
  runAlone: '$runAlone',
  claimable: whenQueued(unlessAlone, '$$REMOVE'),
};

/** Stopped by somebody, or not even begun: that tells nothing about whether it fits. */
const stillUnfinished = { unfinishedCounter: '$unfinishedCounter' };

/** An attempt that ended, in whatever way, fits into an invocation and does not kill its worker. */
const reset = { unfinishedCounter: '$$REMOVE', runAlone: '$$REMOVE' };

/** Its lease ends, and only its token is remembered. */
const unleased = { lease: '$$REMOVE', lastToken: '$lease.token' };

/** Stage by stage: the status first, then what depends on it, `changes` included. */
function ending(statusUnlessCancelled: string | Document, changes: Document): Document[] {
  const isCancelled = { $ne: [{ $type: '$cancelRequested' }, 'missing'] };
  const status = { $cond: [isCancelled, 'cancelled', statusUnlessCancelled] };
  const claimable = whenQueued(true, '$$REMOVE');
  return [{ $set: { status } }, { $set: { ...unleased, ...reset, claimable, ...changes, ...byStatus } }];
}

const excess = { $max: [{ $subtract: [{ $size: '$errors' }, MAX_ERRORS - 1] }, 0] };
const dropped = { $add: [{ $ifNull: ['$errorsDropped', 0] }, excess] };
/** How many errors will have been dropped once another is appended. */
const droppedByOneMore = { $cond: [{ $gt: [dropped, 0] }, dropped, '$$REMOVE'] };

/** For how long a job that ended as it did is kept; `'forever'` also for one that has not ended. */
const retentionMs = {
  $switch: {
    branches: settledStatuses.map((status) => ({
      case: { $eq: ['$status', status] },
      // biome-ignore lint/suspicious/noThenProperty: the name that MongoDB gives it.
      then: retentionMsOf(status),
    })),
    default: 'forever',
  },
};

function retentionMsOf(status: SettledStatus): Document {
  return { $ifNull: [`$retention.${status}`, DEFAULT_RETENTION[status]] };
}

/** Keeps a job that a scheduler item made ahead until its moment, also if it ended before that. See remove-jobs.ts. */
const keptFrom = { $max: ['$$NOW', '$occurrence.at'] };

/** When it expires. After 0 that is now: one that was not deleted by its end is removed within a minute by the TTL. */
function keptFor(ms: Document): Document {
  return { $cond: [{ $eq: [ms, 'forever'] }, '$$REMOVE', { $add: [keptFrom, ms] }] };
}

/** The fields that follow from the status a job has now, which is queued again, settled, or neither. */
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
