import type { Outcome } from '../job/outcome.js';
import type { SettledAs } from '../job/settle-jobs.js';

/**
 * What one invocation did. Each attempt that was claimed is counted once more: `claimed` is the sum of `completed`,
 * `retried`, `errors`, `cancelled`, `snoozed`, `givenBack`, `stale` and `unsettled`.
 */
export interface DrainSummary {
  claimed: number;
  completed: number;
  /** Failed, and queued for another attempt. */
  retried: number;
  errors: number;
  cancelled: number;
  /** Put off by the job itself. */
  snoozed: number;
  /** Unfinished when the invocation had to stop, and queued again. */
  givenBack: number;
  /** Ended after their lease was lost: changed nothing. */
  stale: number;
  /** Ended, but the database could not be told: recovered once their leases have expired. */
  unsettled: number;
  /** Settled or given back while their function went on; it may still go on, and the process should end. */
  abandoned: number;
  /** Due jobs still waiting when the invocation had to stop; counted up to 1000. */
  remaining: number;
}

/** How a claimed attempt is counted. */
export type Ending = Exclude<keyof DrainSummary, 'claimed' | 'abandoned' | 'remaining'>;

export function emptySummary(): DrainSummary {
  return {
    claimed: 0,
    completed: 0,
    retried: 0,
    errors: 0,
    cancelled: 0,
    snoozed: 0,
    givenBack: 0,
    stale: 0,
    unsettled: 0,
    abandoned: 0,
    remaining: 0,
  };
}

/** @param settledAs what the database made of the outcome; undefined when it could not be told */
export function endingOf(outcome: Outcome, settledAs: SettledAs | undefined): Ending {
  switch (settledAs) {
    case undefined:
      return 'unsettled';
    case 'completed':
    case 'cancelled':
    case 'stale':
      return settledAs;
    case 'error':
      return 'errors';
    case 'queued':
    case 'processing': // Queued by this outcome, and claimed again before the status was read back.
      return outcome.kind === 'givenBack' || outcome.kind === 'snoozed' ? outcome.kind : 'retried';
  }
}
