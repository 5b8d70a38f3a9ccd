import { isKind } from '../brand.js';
import { SchemaFailedError } from '../errors.js';
import type { JobFactory } from '../job/define-job.js';
import { toFailure } from '../job/failure.js';
import { type LimitsOfJob, limitsOf, unmetLimits } from '../job/flow-rules.js';
import type { ClaimedJob } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import { type Storable, toOutput } from '../job/storable.js';
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
  const refused = (error: unknown) =>
    isUnanswered(error) || error instanceof LimitsChangedError
      ? failedOutcome(error, job, factory)
      : finalFailure(toFailure(error));
  const parsed = await asResult(parsedInput(factory, job));
  if ('refused' in parsed) return refused(parsed.refused);
  let returned: unknown;
  try {
    returned = await run(parsed.value);
  } catch (error) {
    return failedOutcome(error, job, factory);
  }
  const output = await asResult(storableOutput(factory, returned));
  if ('refused' in output) return refused(output.refused);
  const { value, bytes } = output.value;
  return { kind: 'completed', output: value, outputBytes: bytes };
}

/** Returns the parsed input. @throws ValidationError for one that is invalid, or has no key for a limit */
async function parsedInput(factory: JobFactory, job: ClaimedJob): Promise<unknown> {
  const parsed = await factory.parseInput(job.input);
  if (factory.flow) requireSlots(job, limitsOf(factory.name, factory.flow, parsed));
  return parsed;
}

/** The gate could not find out the limits, or found out others. @throws LimitsChangedError, which is retried */
function requireSlots({ slots = [], jobName }: ClaimedJob, { limits }: LimitsOfJob): void {
  const [lacks] = unmetLimits(limits, slots);
  if (lacks)
    throw new LimitsChangedError(`Input of job '${jobName}' gave other limits before, not '${lacks.key}'.`);
}

/** The input gave other limits when the job was claimed. A later attempt may succeed. */
class LimitsChangedError extends Error {}

async function storableOutput(factory: JobFactory, returned: unknown): Promise<Storable> {
  return toOutput(await factory.parseOutput(returned), factory.name);
}

async function asResult<Value>(
  work: Promise<Value>,
): Promise<{ readonly value: Value } | { readonly refused: unknown }> {
  try {
    return { value: await work };
  } catch (refused) {
    return { refused };
  }
}

/** Returns whether the schema did not answer. A job that blocks the thread can delay the schema of another job. */
function isUnanswered(error: unknown): boolean {
  return isKind(error, SchemaFailedError) && nameOf(error.cause) === 'NoAnswer';
}
