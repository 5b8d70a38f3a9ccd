import type { Document } from 'mongodb';
import type { Failure } from './failure.js';
import { type SettledStatus, settledStatuses } from './job.js';
import { DEFAULT_RETENTION } from './job-options.js';
import type { Outcome } from './outcome.js';

/** Older errors are dropped, and counted in `errorsDropped`. */
const MAX_ERRORS = 20;

/**
 * How often in a row a job may be given back because its invocation ran out of time. After that, the job is considered
 * too long for the worker. With a lower limit, a busy worker's deadlines would end jobs that fit. With a higher one, a
 * job that never fits would waste as many invocations.
 */
export const MAX_UNFINISHED = 10;

/**
 * Returns the update pipeline that ends an attempt. Nothing else moves a job out of `processing`.
 *
 * The document decides what follows (cancelled? attempts left?), not the worker's copy of it. So a change made meanwhile
 * by `cancelJob` counts. The caller's filter names the lease. If nothing matched, another worker holds the lease by now
 * and nothing was changed.
 *
 * User values stand inside `$literal`, so nothing a user sends is evaluated.
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
 * Returns a short form of `endAttempt` for completed attempts, which most are. The filter must match these jobs only, and
 * none that is to be cancelled. Their status is then known and nothing is left to decide.
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

/** A job and the output of its attempt. */
interface CompletedJob {
  readonly id: string;
  readonly output: unknown;
}

/** Returns an expression that finds each job's output at the index of its id. */
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
 * @param inCompany other jobs ran in that worker, and any of them may have killed it. So none of them uses up an attempt,
 *   and each runs alone next time, which tells them apart.
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
  // Without a token, a late outcome cannot mistake this ending for its own.
  const changes = {
    ...withError({ message }),
    runAlone: true,
    claimable: '$$REMOVE',
    lastToken: '$$REMOVE',
  };
  return inCompany ? ending('queued', { ...attemptNotUsedUp, ...changes }) : ending(retryOrError, changes);
}

/** Cancels a queued job, which settles it, or notes that a running job is to be cancelled. */
export function requestCancel(): Document[] {
  const cancelRequested = { $ifNull: ['$cancelRequested', '$$NOW'] };
  const status = whenQueued('cancelled', '$status');
  return [{ $set: { status, cancelRequested, claimable: '$$REMOVE' } }, { $set: byStatus }];
}

/** Gives a job back because time was up. After too many times in a row, the job ends in `error`. */
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

/** Value of `claimable` for a queued job. Absent if the job must run alone. */
export const unlessAlone = { $cond: ['$runAlone', '$$REMOVE', true] };

const attemptNotUsedUp = {
  retryCounter: { $subtract: ['$retryCounter', 1] },
  givenBackCounter: { $add: ['$givenBackCounter', 1] },
  runAlone: '$runAlone',
  claimable: whenQueued(unlessAlone, '$$REMOVE'),
};

/** Keeps the counter of an attempt that was stopped or never began, which says nothing about whether the job fits. */
const stillUnfinished = { unfinishedCounter: '$unfinishedCounter' };

/** Clears marks, since an attempt that ended in any way fits into an invocation and does not kill its worker. */
const reset = { unfinishedCounter: '$$REMOVE', runAlone: '$$REMOVE' };

/** Ends the lease and remembers only its token. */
const unleased = { lease: '$$REMOVE', lastToken: '$lease.token' };

/** Sets the status first, then the fields that depend on it, including `changes`. */
function ending(statusUnlessCancelled: string | Document, changes: Document): Document[] {
  const isCancelled = { $ne: [{ $type: '$cancelRequested' }, 'missing'] };
  const status = { $cond: [isCancelled, 'cancelled', statusUnlessCancelled] };
  const claimable = whenQueued(true, '$$REMOVE');
  return [{ $set: { status } }, { $set: { ...unleased, ...reset, claimable, ...changes, ...byStatus } }];
}

const excess = { $max: [{ $subtract: [{ $size: '$errors' }, MAX_ERRORS - 1] }, 0] };
const dropped = { $add: [{ $ifNull: ['$errorsDropped', 0] }, excess] };
/** The number of dropped errors after another error is appended. */
const droppedByOneMore = { $cond: [{ $gt: [dropped, 0] }, dropped, '$$REMOVE'] };

/** How long a job with this status is kept, or `'forever'` for a job that has not ended. */
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

/** Keeps a job that a scheduler item made ahead at least until its moment. See remove-jobs.ts. */
const keptFrom = { $max: ['$$NOW', '$occurrence.at'] };

/** Returns when a job expires. After 0 this is now, so the TTL index removes a job within a minute if its end did not. */
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
