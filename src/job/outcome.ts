import type { Failure } from './failure.js';
import type { ClaimedJob } from './job.js';
import type { QueuedJob } from './queued-job.js';
import type { Report } from './report.js';

/** `outputBytes`: how large the output is as BSON. */
export interface Completed {
  readonly kind: 'completed';
  readonly output: unknown;
  readonly outputBytes: number;
}

/** How an attempt ended. What follows from it (retry, `error`, `cancelled`) is decided by the document: end-attempt.ts. */
export type Outcome =
  | Completed
  /** `retryAfterMs`: until the next attempt, if there is one; null when there must be none. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly retryAfterMs: number | null }
  /** Put off by the job itself. */
  | { readonly kind: 'snoozed'; readonly delayMs: number }
  /** Unfinished when its worker had to stop. `atDeadline`: because the invocation's time was up. */
  | { readonly kind: 'givenBack'; readonly atDeadline: boolean };

/** The outcome of one attempt, and the lease it belongs to. */
export interface Settlement {
  readonly id: string;
  readonly token: string;
  readonly outcome: Outcome;
  /** The job is not kept once it is completed: its retention is 0. */
  readonly isDeletedWhenCompleted?: boolean;
  /** The reports of the attempt that are not known to be stored. */
  readonly report?: Report;
}

/** The job as this outcome queues it, if it does: for those who are told. Given back, it is left to whoever looks next. */
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

/** How an attempt at a claimed job ended. */
export function settlementOf({ id, token, retention }: ClaimedJob, outcome: Outcome): Settlement {
  return { id, token, outcome, isDeletedWhenCompleted: retention?.completed === 0 };
}
