import type { Document } from 'mongodb';
import {
  attemptNotUsedUp,
  moreAttempts,
  retryOrError,
  stillUnfinished,
  withAttemptsToUndo,
} from './attempt-counters.js';
import { failureDigest } from './failure-key.js';
import { freeingSlots } from './held-places.js';
import { ifQueuedAgain } from './kept-attempts.js';
import { appended, droppedByOneMore, failedLike, literalFailure, withError } from './kept-errors.js';
import {
  byStatus,
  keepingKey,
  keptFor,
  leaveProcessing,
  reset,
  retentionMsOf,
  unleased,
  whenCompleted,
  whenQueued,
} from './leave-processing.js';
import type { Outcome, Settlement } from './outcome.js';
import { storeReport } from './report.js';
import { beginRun, beginToUndo, hasStepped, storeSteps, storeWaits, wakeUp } from './step-statements.js';

/**
 * How often in a row a job may be given back because its invocation ran out of time. After that, the job is considered
 * too long for the worker. A lower limit would end jobs that fit but often start late in a busy worker. A higher one
 * would waste more invocations on a job that never fits.
 */
export const MAX_UNFINISHED = 10;

/**
 * Returns the update pipeline that ends an attempt as its worker says. See end-lost-attempt.ts for a worker that says
 * nothing.
 *
 * The stored document decides what follows (cancelled? attempts left?), not the worker's copy. So a concurrent change by
 * `cancelJob` counts. The caller's filter names the lease. If the filter matches nothing, another worker holds the lease by
 * now, and nothing was changed.
 *
 * User values stand inside `$literal`, so MongoDB evaluates none of them.
 *
 * A job that was given back keeps its places in limits. Any other job keeps the places that it holds until it is settled,
 * and loses the rest.
 */
export function endAttempt({ outcome, flow, hasPeriod, report }: Ended): Document[] {
  const reported = report ? storeReport(report) : [];
  if (outcome.kind === 'stepped') return [...reported, ...storeSteps(outcome.writes)];
  return [
    ...reported,
    ...endingOf(outcome),
    ...(flow ? freeingSlots(outcome, flow) : []),
    ...(hasPeriod ? [keepingKey] : []),
  ];
}

/** How an attempt ended, or went on. */
type Ended = Pick<Settlement, 'outcome' | 'flow' | 'hasPeriod' | 'report'>;

function endingOf(outcome: Outcome): Document[] {
  switch (outcome.kind) {
    case 'completed':
      return leaveProcessing('completed', { output: whenCompleted({ $literal: outcome.output ?? null }) });
    case 'failed':
      return leaveProcessing(outcome.retryAfterMs === null ? 'error' : retryOrError, {
        ...withError(literalFailure(outcome.failure)),
        failureKey: failedLike(failureDigest(outcome.failure)),
        attempts: ifQueuedAgain('failed'),
        runAt: whenQueued({ $add: ['$$NOW', outcome.retryAfterMs ?? 0] }, '$runAt'),
      });
    case 'snoozed':
      return leaveProcessing('queued', {
        ...attemptNotUsedUp,
        attempts: ifQueuedAgain('snoozed'),
        runAt: whenQueued({ $add: ['$$NOW', outcome.delayMs] }, '$runAt'),
      });
    case 'suspended':
      return [
        ...storeSteps(outcome.writes),
        storeWaits(outcome.waits),
        ...leaveProcessing('queued', {
          ...attemptNotUsedUp,
          attempts: ifQueuedAgain(outcome.isUndoing ? 'failed' : 'suspended'),
          runAt: whenQueued(wakeUp(outcome.waits), '$runAt'),
          uniqueKey: whenQueued(unlessClaimed('$uniqueKey'), byStatus.uniqueKey),
          ...(outcome.isUndoing && { maxRetries: withAttemptsToUndo, 'steps.undo': 'underWay' }),
        }),
      ];
    case 'continued':
      return [
        ...beginRun(),
        ...leaveProcessing('queued', {
          ...attemptNotUsedUp,
          attempts: ifQueuedAgain('continued'),
          retryCounter: 0,
          lostCounter: '$$REMOVE',
          input: { $literal: outcome.input },
          keys: outcome.keys ? { $literal: outcome.keys } : '$$REMOVE',
          runAt: whenQueued('$$NOW', '$runAt'),
          progress: '$$REMOVE',
        }),
      ];
    case 'givenBack':
      if (!outcome.atDeadline)
        return leaveProcessing('queued', {
          ...attemptNotUsedUp,
          ...stillUnfinished,
          attempts: ifQueuedAgain('givenBack'),
        });
      return outcome.isUndoable ? undoUnfinished() : endUnfinished();
  }
}

/**
 * Returns a shorter pipeline than `endAttempt` for the usual case, completed attempts. The filter must match these jobs and
 * no others, and must leave out jobs that are to be cancelled. The new status is then known, and nothing is left to decide.
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
 * Gives a job back because time was up. After too many times in a row in which it made no progress, the job ends in
 * `error` instead.
 */
function endUnfinished(): Document[] {
  const status = { $cond: [isTooLong, 'error', 'queued'] };
  return leaveProcessing(status, {
    ...attemptNotUsedUp,
    ...moreAttempts,
    attempts: ifQueuedAgain('givenBack'),
    unfinishedCounter: unfinished,
    failureKey: failedLike(failureDigest({ message: TOO_LONG })),
    errors: { $cond: [{ $eq: ['$status', 'error'] }, appended({ message: TOO_LONG }), '$errors'] },
    errorsDropped: { $cond: [{ $eq: ['$status', 'error'] }, droppedByOneMore, '$errorsDropped'] },
  });
}

/**
 * Does what `endUnfinished` does, for a job whose steps can be undone. After too many times, the job does not end. It gets
 * attempts in which it undoes its steps.
 */
function undoUnfinished(): Document[] {
  return [
    beginToUndo(TOO_LONG, isTooLong),
    ...leaveProcessing('queued', {
      ...attemptNotUsedUp,
      ...moreAttempts,
      attempts: ifQueuedAgain('givenBack'),
      unfinishedCounter: { $cond: [isTooLong, '$$REMOVE', unfinished] },
      maxRetries: { $cond: [isTooLong, withAttemptsToUndo, moreAttempts.maxRetries] },
    }),
  ];
}

const unfinished = { $cond: [hasStepped, 0, { $add: [{ $ifNull: ['$unfinishedCounter', 0] }, 1] }] };
const isTooLong = { $gte: [unfinished, MAX_UNFINISHED] };
const TOO_LONG = `given back ${MAX_UNFINISHED} times in a row, since its invocation's time was up each time before it ended: it does not fit. Give the worker more time, or split the job.`;

/**
 * Returns the unique key. Missing if the key is free once the job is claimed. A suspended job was claimed before, though it
 * is queued.
 */
function unlessClaimed(uniqueKey: string): Document {
  return { $cond: [{ $eq: ['$uniqueUntil', 'claimed'] }, '$$REMOVE', uniqueKey] };
}
