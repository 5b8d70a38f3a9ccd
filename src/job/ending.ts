import type { Outcome } from './outcome.js';
import type { SettledAs } from './settle-jobs.js';

/**
 * How an attempt is counted:
 * - `retried`: failed, and the job is queued for another attempt
 * - `errors`: the job ended in `error`
 * - `snoozed`: postponed by the job itself
 * - `suspended`: waits for a moment or a signal between two steps, or begins another run
 * - `givenBack`: the worker had to stop before the attempt ended
 * - `stale`: ended after its lease was lost, and changed nothing
 * - `unsettled`: its outcome could not be written, so recovery will end it
 */
export type Ending =
  | 'completed'
  | 'retried'
  | 'errors'
  | 'cancelled'
  | 'snoozed'
  | 'suspended'
  | 'givenBack'
  | 'stale'
  | 'unsettled';

/**
 * Returns how an attempt is counted.
 *
 * @param settledAs the job's status after settling, `stale`, or undefined if unknown
 */
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
    case 'processing': // The outcome queued the job, and a worker claimed it before its status was read.
      return endingOfQueued(outcome);
  }
}

function endingOfQueued({ kind }: Outcome): Ending {
  switch (kind) {
    case 'givenBack':
    case 'snoozed':
    case 'suspended':
      return kind;
    case 'continued':
      return 'suspended';
    case 'completed':
    case 'failed':
      return 'retried';
  }
}
