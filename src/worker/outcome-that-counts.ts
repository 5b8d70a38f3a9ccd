import type { AbortReason } from '../errors.js';
import type { JobFactory } from '../job/define-job.js';
import { toFailure } from '../job/failure.js';
import type { ClaimedJob } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import { failedOutcome } from './failed-outcome.js';

/** Facts that decide which outcome of an attempt counts. */
export interface JudgedAttempt {
  readonly job: ClaimedJob;
  readonly factory: JobFactory;
  /** Why the attempt was told to stop. Undefined if it was not. */
  readonly abortedFor: AbortReason | undefined;
  /** Whether its worker has to stop because its time is up. */
  readonly isAtDeadline: boolean;
  /** Whether it has stored a step or a cursor, or is to. */
  readonly hasProgressed: boolean;
  /** How far its timeout is exceeded, in milliseconds, or 0. */
  readonly lateMs: number;
}

/** Returns the outcome that counts for an attempt. Its call ended with `outcome`, but may be unfinished or late. */
export function outcomeThatCounts(attempt: JudgedAttempt, outcome: Outcome): Outcome {
  return isUnfinished(attempt, outcome) ? unfinished(attempt) : inTime(attempt, outcome);
}

/**
 * Returns the outcome of a job that is to go on in another attempt. If the attempt's own time was over, it counts as the
 * worker's.
 */
export function unfinished(attempt: JudgedAttempt): Outcome {
  const { abortedFor } = attempt;
  const isItsOwn = abortedFor === undefined || abortedFor === 'timed out';
  return isItsOwn ? { kind: 'givenBack', atDeadline: true } : stopped(attempt);
}

/** Returns the outcome of an attempt whose worker has to stop. */
export function stopped({ isAtDeadline }: JudgedAttempt): Outcome {
  return { kind: 'givenBack', atDeadline: isAtDeadline };
}

/** Returns the outcome of an attempt that went on after its timeout. */
export function timedOut(attempt: JudgedAttempt): Outcome {
  if (isSlice(attempt)) return unfinished(attempt);
  const { timeoutMs } = attempt.factory.limits;
  return failedWith(
    attempt,
    `It went on after its timeout of ${timeoutMs} ms, and after its signal had fired.`,
  );
}

/**
 * Returns the outcome of an attempt whose function left a rejected promise behind. It is always retried. The error keeps
 * the stack of the rejection, because a stack made here would only show who noticed.
 */
export function rejected({ job, factory }: JudgedAttempt, reason: unknown): Outcome {
  const { message, stack } = toFailure(reason);
  const error = new Error(`Unhandled rejection: ${message}`, { cause: reason });
  Reflect.set(error, 'stack', stack);
  return failedOutcome(error, job, factory);
}

/** Returns whether the attempt took too long, and has stored a step, so that it repeats less next time. */
function isSlice({ abortedFor, hasProgressed }: JudgedAttempt): boolean {
  return abortedFor === 'timed out' && hasProgressed;
}

/**
 * Returns whether the attempt only failed because it was told to stop. A lease lost by the worker's clock may still be
 * held by the database's clock, so giving the job back is worthwhile.
 */
function isUnfinished(attempt: JudgedAttempt, outcome: Outcome): boolean {
  if (isSlice(attempt)) return !isFinal(outcome);
  if (outcome.kind === 'completed' || isFinal(outcome)) return false;
  return attempt.abortedFor === 'stopping' || attempt.abortedFor === 'lease lost';
}

function isFinal(outcome: Outcome): boolean {
  return outcome.kind === 'failed' && outcome.retryAfterMs === null;
}

/** Replaces any outcome after the timeout by a failure. An error is kept because it tells more. */
function inTime(attempt: JudgedAttempt, outcome: Outcome): Outcome {
  const { lateMs, factory } = attempt;
  if (outcome.kind === 'failed' || lateMs === 0) return outcome;
  const late = `${lateMs} ms after its timeout of ${factory.limits.timeoutMs} ms`;
  return failedWith(attempt, `It ended ${late}, and that counts as a failure.`);
}

function failedWith({ job, factory }: JudgedAttempt, message: string): Outcome {
  return failedOutcome(new Error(message), job, factory);
}
