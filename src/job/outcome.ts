import type { Failure } from './failure.js';
import { type HeldSlot, isHeldUntilSettled, isOrder } from './flow-rules.js';
import { type ClaimedJob, isSettled, type JobStatus, type SettledStatus } from './job.js';
import type { QueuedJob } from './queued-job.js';
import type { Report } from './report.js';
import type { StepWrites, WaitWrite } from './step-log.js';

/** A completed attempt. `outputBytes` is the size of the output as BSON. */
export interface Completed {
  readonly kind: 'completed';
  readonly output: unknown;
  readonly outputBytes: number;
}

/** How an attempt ended. The stored job decides what follows (retry, `error`, `cancelled`). See end-attempt.ts. */
export type Outcome =
  | Completed
  /** `retryAfterMs` is the delay before the next attempt, if any attempts are left. Null means no retry. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly retryAfterMs: number | null }
  /** Postponed by the job itself. `slowsDown` puts off the other jobs under its rate limit too. */
  | { readonly kind: 'snoozed'; readonly delayMs: number; readonly slowsDown?: true }
  /** Waits for a moment or a signal, without a slot or a lease. Then it goes on with its stored steps. */
  | {
      readonly kind: 'suspended';
      readonly writes: StepWrites;
      readonly waits: readonly WaitWrite[];
      /** True if it has failed for good, and undoes its steps in attempts of their own. */
      readonly isUndoing?: true;
    }
  /** Begins another run with this input, and with no step. See `continueAs`. */
  | { readonly kind: 'continued'; readonly input: unknown; readonly keys?: readonly string[] | undefined }
  /**
   * Unfinished when its worker had to stop. `atDeadline` means that the invocation ran out of time. With `isUndoable`, the
   * job undoes its steps before it ends in `error` after too many times.
   */
  | { readonly kind: 'givenBack'; readonly atDeadline: boolean; readonly isUndoable?: true };

/** The outcome of an attempt that never began. */
export const unbegun: Outcome = { kind: 'givenBack', atDeadline: false };

/** Steps of an attempt that goes on. Written like outcomes, and together with them. */
export interface Stepped {
  readonly kind: 'stepped';
  readonly writes: StepWrites;
}

/** The outcome of an attempt, and the lease under which it ran. */
export interface Settlement {
  readonly id: string;
  readonly token: string;
  readonly outcome: Outcome | Stepped;
  /** True if the job is deleted on completion, because its retention is 0. */
  readonly isDeletedWhenCompleted?: boolean;
  /**
   * Set if the job holds places in limits, or has a moment of a rate limit. `held` means that it keeps one of the places
   * until it is settled.
   */
  readonly flow?: 'limited' | 'held';
  /** True if the job may keep its unique key for a time after it has ended. */
  readonly hasPeriod?: boolean;
  /** Reports of the attempt that may not be stored yet. */
  readonly report?: Report;
}

/** An outcome that is a failure. */
export type Failed = Extract<Outcome, { readonly kind: 'failed' }>;

/** Returns whether a job has failed for good with this outcome. */
export function isForGood(
  outcome: Outcome,
  { retryCounter, maxRetries }: Pick<ClaimedJob, 'retryCounter' | 'maxRetries'>,
): outcome is Failed {
  return outcome.kind === 'failed' && (outcome.retryAfterMs === null || retryCounter >= maxRetries);
}

/**
 * Returns the job in a list if this outcome queues it again, to notify workers. Empty for a job given back, which the
 * next worker finds by itself.
 */
export function queuedAgain({ jobName, queue }: ClaimedJob, outcome: Outcome): QueuedJob[] {
  switch (outcome.kind) {
    case 'failed':
      return [{ jobName, queue, runAt: outcome.retryAfterMs ?? 0 }];
    case 'snoozed':
      return [{ jobName, queue, runAt: outcome.delayMs }];
    case 'suspended':
      return outcome.waits.flatMap(({ until }) =>
        until === undefined ? [] : { jobName, queue, runAt: until },
      );
    case 'continued':
      return [{ jobName, queue, runAt: 0 }];
    case 'completed':
    case 'givenBack':
      return [];
  }
}

/**
 * Returns the places that a written outcome freed. A job that was given back keeps its places. A job in a strict order, or
 * with a queued successor, keeps its place until it is settled. A job in `error` that stops its strict order keeps its
 * place too. See held-places.ts.
 *
 * @param settledAs the job's new status, or undefined if nothing was changed
 */
export function freedSlots(
  job: ClaimedJob,
  outcome: Outcome | Stepped,
  settledAs: JobStatus | 'stale' | undefined,
): readonly HeldSlot[] {
  const { slots = [] } = job;
  if (outcome.kind === 'stepped' || slots.length === 0) return [];
  if (settledAs === undefined || settledAs === 'stale') return [];
  if (isSettled(settledAs)) return freedBySettling(job, settledAs);
  return outcome.kind === 'givenBack' ? [] : slots.filter(({ key }) => !isHeldUntilSettled(key));
}

/** Returns the places that a job loses when it is settled. See `freedSlots`. */
export function freedBySettling(
  { slots = [], limits = [] }: Pick<ClaimedJob, 'slots' | 'limits'>,
  status: SettledStatus,
): readonly HeldSlot[] {
  const isStopped = status === 'error' && limits.some(({ stops }) => stops);
  return isStopped ? slots.filter(({ key }) => !isOrder(key)) : slots;
}

/** Returns the settlement of a claimed job. */
export function settlementOf(
  { id, token, retention, slots, postponedBy, uniqueUntil }: ClaimedJob,
  outcome: Outcome | Stepped,
): Settlement {
  const isHeld = slots?.some(({ key }) => isHeldUntilSettled(key));
  const isLimited = slots !== undefined || postponedBy !== undefined;
  return {
    id,
    token,
    outcome,
    isDeletedWhenCompleted: retention?.completed === 0,
    hasPeriod: uniqueUntil !== undefined && uniqueUntil !== 'claimed',
    ...(isLimited && { flow: isHeld ? 'held' : 'limited' }),
  };
}
