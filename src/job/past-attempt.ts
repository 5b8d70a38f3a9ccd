/**
 * How an attempt ended. `failed`: it is tried again. `lost`: its worker died or was cut off. `givenBack`: its worker stopped.
 * `snoozed`, `suspended`, `continued`: the job put itself off, waits for something, or began anew with another input. The
 * others are the statuses that the job had then.
 */
export type AttemptOutcome =
  | 'failed'
  | 'lost'
  | 'givenBack'
  | 'snoozed'
  | 'suspended'
  | 'continued'
  | 'completed'
  | 'error'
  | 'cancelled';

export const attemptOutcomes: readonly AttemptOutcome[] = [
  'failed',
  'lost',
  'givenBack',
  'snoozed',
  'suspended',
  'continued',
  'completed',
  'error',
  'cancelled',
];

/** An attempt that has ended. All times are by the database's clock. */
export interface PastAttempt {
  /** Number of the attempt, from 1. Attempts that were not used up have the number of the next one. */
  readonly attempt: number;
  /** When the job entered the queue before it. */
  readonly queued: Date;
  /** When a worker claimed the job. */
  readonly claimed: Date;
  readonly ended: Date;
  readonly outcome: AttemptOutcome;
}
