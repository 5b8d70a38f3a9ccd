import type { AttemptEnded, Events } from '../events.js';
import { type Ending, endingOf } from '../job/ending.js';
import { failureKey } from '../job/failure-key.js';
import type { ClaimedJob, SettledStatus } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import type { SettledAs } from '../job/settle-jobs.js';

const settledBy: Partial<Record<Ending, SettledStatus>> = {
  completed: 'completed',
  errors: 'error',
  cancelled: 'cancelled',
};

/**
 * Tells listeners that an attempt ended, and whether that settled the job. Returns how the attempt is counted.
 *
 * @param settledAs how the database took the outcome, or undefined when that is unknown
 * @param about details of the attempt that its job does not hold
 */
export function tellEnded(
  events: Events,
  job: ClaimedJob,
  outcome: Outcome,
  settledAs: SettledAs | undefined,
  about: Pick<AttemptEnded, 'worker' | 'durationMs' | 'waitedMs'> = {},
): Ending {
  const { id: jobId, jobName, queue, retryCounter: attempt } = job;
  const ending = endingOf(outcome, settledAs);
  if (events.isHeard('attemptEnded')) {
    const error =
      outcome.kind === 'failed'
        ? { error: outcome.failure.message, failureKey: failureKey(jobName, outcome.failure) }
        : {};
    events.tell('attemptEnded', { jobId, jobName, queue, attempt, ...about, outcome: ending, ...error });
  }
  const status = settledBy[ending];
  if (status && events.isHeard('jobSettled')) events.tell('jobSettled', { jobId, jobName, status });
  return ending;
}
