import type { AttemptEnded, Events } from '../events.js';
import { type Ending, endingOf } from '../job/ending.js';
import type { ClaimedJob, SettledStatus } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import type { SettledAs } from '../job/settle-jobs.js';

const settledBy: Partial<Record<Ending, SettledStatus>> = {
  completed: 'completed',
  errors: 'error',
  cancelled: 'cancelled',
};

/**
 * Tells that an attempt ended, and whether the job is settled with it. Returns how it is counted.
 *
 * @param settledAs what the database made of the outcome; undefined when it could not be told
 * @param about what is known of the attempt beside its job
 */
export function tellEnded(
  events: Events,
  job: ClaimedJob,
  outcome: Outcome,
  settledAs: SettledAs | undefined,
  about: Pick<AttemptEnded, 'worker' | 'durationMs'> = {},
): Ending {
  const { id: jobId, jobName, queue, retryCounter: attempt } = job;
  const ending = endingOf(outcome, settledAs);
  if (events.isHeard('attemptEnded')) {
    const error = outcome.kind === 'failed' ? { error: outcome.failure.message } : {};
    events.tell('attemptEnded', { jobId, jobName, queue, attempt, ...about, outcome: ending, ...error });
  }
  const status = settledBy[ending];
  if (status && events.isHeard('jobSettled')) events.tell('jobSettled', { jobId, jobName, status });
  return ending;
}
