import type { Failure } from './failure.js';
import type { ClaimedJob } from './job.js';
import type { QueuedJob } from './queued-job.js';
import type { Report } from './report.js';

/** A completed attempt. `outputBytes` is the size of the output as BSON. */
export interface Completed {
  readonly kind: 'completed';
  readonly output: unknown;
  readonly outputBytes: number;
}

/** How an attempt ended. The document decides what follows (retry, `error`, `cancelled`). See end-attempt.ts. */
export type Outcome =
  | Completed
  /** `retryAfterMs` is the delay until the next attempt, if any. Null when there must be none. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly retryAfterMs: number | null }
  /** Postponed by the job itself. */
  | { readonly kind: 'snoozed'; readonly delayMs: number }
  /** Unfinished when its worker had to stop. `atDeadline` means that the invocation ran out of time. */
  | { readonly kind: 'givenBack'; readonly atDeadline: boolean };

/** The outcome of an attempt, and the lease it belongs to. */
export interface Settlement {
  readonly id: string;
  readonly token: string;
  readonly outcome: Outcome;
  /** True if the job is deleted once completed, because its retention is 0. */
  readonly isDeletedWhenCompleted?: boolean;
  /** Reports of the attempt that are not known to be stored. */
  readonly report?: Report;
}

/**
 * Returns the job if this outcome queues it again, for those who are told. A job given back is left to the next worker
 * that looks.
 */
export function queuedAgain({ jobName, queue }: ClaimedJob, outcome: Outcome): QueuedJob[] {
  switch (outcome.kind) {
    case 'failed':
      return [{ jobName, queue, runAt: outcome.retryAfterMs ?? 0 }];
    case 'snoozed':
      return [{ jobName, queue, runAt: outcome.delayMs }];
    case 'completed':
    case 'givenBack':
      return [];
  }
}

/** Returns how to settle a claimed job. */
export function settlementOf({ id, token, retention }: ClaimedJob, outcome: Outcome): Settlement {
  return { id, token, outcome, isDeletedWhenCompleted: retention?.completed === 0 };
}
