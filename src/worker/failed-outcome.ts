import { isKind } from '../brand.js';
import { type Duration, durationSchema } from '../duration.js';
import {
  RateLimited,
  RemoteException,
  RetryAfter,
  Snooze,
  StepFailedError,
  StepInterruptedError,
} from '../errors.js';
import type { JobFactory } from '../job/define-job.js';
import { type Failure, toFailure, withRemark } from '../job/failure.js';
import type { ClaimedJob } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import { DEFAULT_RETRY_DELAY_MS, retryDelayMs } from '../job/retry-delay.js';
import { Secrets } from '../job/secrets.js';
import { fieldOf } from '../mongo/driver-error.js';

type Job = Pick<ClaimedJob, 'retryDelay' | 'retryCounter'>;
type Factory = Pick<JobFactory, 'retryDelay'> | undefined;

/**
 * Returns the outcome of an attempt that threw. A RemoteException and a failed step are not retried. RetryAfter and Snooze
 * choose their own delay. After any other error, the delay is the `retryDelay` of the job or of the factory. An invalid
 * delay is noted in the failure, and the attempt counts as failed. Never throws, whatever was thrown.
 */
export function failedOutcome(error: unknown, job: Job, factory: Factory): Outcome {
  const failure = toFailure(error);
  if (isPermanent(error)) return finalFailure(failure);
  const slowsDown = isKind(error, RateLimited);
  const isSnooze = slowsDown || isKind(error, Snooze);
  if (!isSnooze && !isKind(error, RetryAfter)) return retried(failure, error, job, factory);
  const result = durationSchema.safeParse(fieldOf(error, 'delay'));
  if (!result.success)
    return retried(
      withRemark(failure, `its delay is no duration: ${explain(result.error)}`),
      error,
      job,
      factory,
    );
  return isSnooze
    ? { kind: 'snoozed', delayMs: result.data, ...(slowsDown && { slowsDown }) }
    : { kind: 'failed', failure, retryAfterMs: result.data };
}

/** Leaves the values of redacted fields of a job's input out of an outcome. */
export function withoutSecrets(
  outcome: Outcome,
  { redact }: Pick<JobFactory, 'redact'> = {},
  { input }: Pick<ClaimedJob, 'input'>,
): Outcome {
  if (!redact || outcome.kind !== 'failed') return outcome;
  return { ...outcome, failure: new Secrets(redact).learn(input).hideFailure(outcome.failure) };
}

/** Returns whether a later attempt would meet the error again. */
function isPermanent(error: unknown): boolean {
  return (
    isKind(error, RemoteException) || isKind(error, StepFailedError) || isKind(error, StepInterruptedError)
  );
}

/** Returns a failure that is not retried. */
export function finalFailure(failure: Failure): Outcome {
  return { kind: 'failed', failure, retryAfterMs: null };
}

function retried(failure: Failure, error: unknown, job: Job, factory: Factory): Outcome {
  const { retryDelay, retryCounter: attempt } = job;
  if (retryDelay !== null)
    return { kind: 'failed', failure, retryAfterMs: retryDelayMs(retryDelay, attempt) };
  const { delayMs, problem } = askFactory(factory, attempt, error);
  return {
    kind: 'failed',
    failure: problem === undefined ? failure : withRemark(failure, problem),
    retryAfterMs: delayMs ?? DEFAULT_RETRY_DELAY_MS,
  };
}

/**
 * Asks the factory's code for a delay. If that code fails, returns a remark, because a second failure would hide the first.
 */
function askFactory(
  factory: Factory,
  attempt: number,
  error: unknown,
): { readonly delayMs?: number; readonly problem?: string } {
  if (!factory?.retryDelay) return {};
  try {
    const delay: Duration = factory.retryDelay({ attempt, error });
    const result = durationSchema.safeParse(delay);
    if (result.success) return { delayMs: result.data };
    return { problem: `its retryDelay returned no duration: ${explain(result.error)}` };
  } catch (thrown) {
    return { problem: `its retryDelay threw: ${toFailure(thrown).message}` };
  }
}

function explain({ issues }: { readonly issues: readonly { readonly message: string }[] }): string {
  return issues.map(({ message }) => message).join('; ');
}
