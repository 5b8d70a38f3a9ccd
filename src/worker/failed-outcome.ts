import { durationSchema } from '../duration.js';
import { RemoteException, RetryAfter, Snooze } from '../errors.js';
import type { JobFactory } from '../job/define-job.js';
import type { ClaimedJob } from '../job/job.js';
import { type Outcome, toFailure } from '../job/outcome.js';
import { DEFAULT_RETRY_DELAY_MS, retryDelayMs } from '../job/retry-delay.js';

/**
 * What a thrown error makes of an attempt: a RemoteException is not retried, RetryAfter and Snooze choose their delay,
 * anything else waits as the job's `retryDelay` or the factory's function says. Never throws, whatever was thrown.
 */
export function failedOutcome(
  error: unknown,
  job: Pick<ClaimedJob, 'retryDelay' | 'retryCounter'>,
  factory: Pick<JobFactory, 'retryDelay'> | undefined,
): Outcome {
  const failure = toFailure(error);
  try {
    if (error instanceof Snooze) return { kind: 'snoozed', delayMs: orDefault(error.delay) };
    if (error instanceof RemoteException) return { kind: 'failed', failure, retryAfterMs: null };
    if (error instanceof RetryAfter) return { kind: 'failed', failure, retryAfterMs: orDefault(error.delay) };
  } catch {
    // A proxy, which fails when it is only asked what it is.
  }
  return { kind: 'failed', failure, retryAfterMs: delayAfter(error, job, factory) };
}

function delayAfter(
  error: unknown,
  { retryDelay, retryCounter: attempt }: Pick<ClaimedJob, 'retryDelay' | 'retryCounter'>,
  factory: Pick<JobFactory, 'retryDelay'> | undefined,
): number {
  if (retryDelay !== null) return retryDelayMs(retryDelay, attempt);
  try {
    return orDefault(factory?.retryDelay?.({ attempt, error }));
  } catch {
    return DEFAULT_RETRY_DELAY_MS; // The job's own error tells more than one of the code that looked at it.
  }
}

/** A delay made by code in the middle of a failure is not worth another failure. */
function orDefault(delay: unknown): number {
  const result = durationSchema.safeParse(delay);
  return result.success ? result.data : DEFAULT_RETRY_DELAY_MS;
}
