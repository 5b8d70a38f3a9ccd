import { isKind } from '../brand.js';
import { SchemaFailedError } from '../errors.js';
import type { JobFactory } from '../job/define-job.js';
import { toFailure } from '../job/failure.js';
import { type LimitsOfJob, limitsOf, unmetLimits } from '../job/flow-rules.js';
import type { ClaimedJob } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import { toOutput } from '../job/storable.js';
import { nameOf } from '../mongo/driver-error.js';
import { failedOutcome, finalFailure } from './failed-outcome.js';

/**
 * Runs an attempt in stages: parses the input, calls the function, validates the returned value. Never throws: an error
 * becomes the outcome.
 *
 * An invalid input or output would be invalid again, so it is not retried, unless its schema did not answer in time.
 *
 * @param run calls the job function with the parsed input, or throws when it is too late to begin
 */
export async function runAttempt(
  factory: JobFactory,
  job: ClaimedJob,
  run: (input: unknown) => Promise<unknown>,
): Promise<Outcome> {
  let isValidating = true;
  try {
    const input = await factory.parseInput(job.input);
    if (factory.flow) requireSlots(job, limitsOf(factory.name, factory.flow, input));
    isValidating = false;
    const returned = await run(input);
    isValidating = true;
    const { value, bytes } = toOutput(await factory.parseOutput(returned), factory.name);
    return { kind: 'completed', output: value, outputBytes: bytes };
  } catch (error) {
    const isFinal = isValidating && !isUnanswered(error) && !(error instanceof LimitsChangedError);
    return isFinal ? finalFailure(toFailure(error)) : failedOutcome(error, job, factory);
  }
}

/** The gate could not find out the limits, or found out others. @throws LimitsChangedError, which is retried */
function requireSlots({ slots = [], jobName }: ClaimedJob, { limits }: LimitsOfJob): void {
  const [lacks] = unmetLimits(limits, slots);
  if (lacks)
    throw new LimitsChangedError(`Input of job '${jobName}' gave other limits before, not '${lacks.key}'.`);
}

/** The input gave other limits when the job was claimed. A later attempt may succeed. */
class LimitsChangedError extends Error {}

/** Returns whether the schema did not answer. A job that blocks the thread can delay the schema of another job. */
function isUnanswered(error: unknown): boolean {
  return isKind(error, SchemaFailedError) && nameOf(error.cause) === 'NoAnswer';
}
