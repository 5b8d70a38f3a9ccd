import type { Outcome } from './outcome.js';
import type { SettledAs } from './settle-jobs.js';

/**
 * How an attempt is counted. `retried`: it failed, and the job is queued for another one. `errors`: the job ended in `error`.
 * `snoozed`: the job put itself off. `givenBack`: its worker had to stop before it ended. `stale`: it ended after its lease
 * was lost, and changed nothing. `unsettled`: the database could not be told, so that recovery will end it.
 */
export type Ending =
  | 'completed'
  | 'retried'
  | 'errors'
  | 'cancelled'
  | 'snoozed'
  | 'givenBack'
  | 'stale'
  | 'unsettled';

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
