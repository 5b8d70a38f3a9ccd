import type { Ending } from '../job/ending.js';

/**
 * Counts of one invocation. `claimed` is the sum of `completed`, `retried`, `errors`, `cancelled`, `snoozed`,
 * `suspended`, `givenBack`, `stale` and `unsettled`, so each claimed attempt is counted once more.
 */
export interface DrainSummary extends Record<Ending, number> {
  claimed: number;
  completed: number;
  /** Failed, and queued for another attempt. */
  retried: number;
  errors: number;
  cancelled: number;
  /** Postponed by the job itself. */
  snoozed: number;
  /** Waits for a moment or a signal between two steps, or begins another run. */
  suspended: number;
  /** Unfinished when the invocation had to stop, and queued again. */
  givenBack: number;
  /** Ended after their lease was lost, and so changed nothing. */
  stale: number;
  /** Ended without being written to the database. Recovered once their leases expire. */
  unsettled: number;
  /** Settled or given back while their function was still running. Such a function may go on, so the process should end. */
  abandoned: number;
  /** Due jobs that still waited when the invocation had to stop, counted up to 1000. */
  remaining: number;
}

/** Returns a summary of nothing. */
export function emptySummary(): DrainSummary {
  return { claimed: 0, ...noEndings(), abandoned: 0, remaining: 0 };
}

/** Returns counts of no endings. */
export function noEndings(): Record<Ending, number> {
  return {
    completed: 0,
    retried: 0,
    errors: 0,
    cancelled: 0,
    snoozed: 0,
    suspended: 0,
    givenBack: 0,
    stale: 0,
    unsettled: 0,
  };
}
