import type { Ending } from '../job/ending.js';

/**
 * What one invocation did. Each attempt that was claimed is counted once more: `claimed` is the sum of `completed`,
 * `retried`, `errors`, `cancelled`, `snoozed`, `givenBack`, `stale` and `unsettled`.
 */
export interface DrainSummary extends Record<Ending, number> {
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
