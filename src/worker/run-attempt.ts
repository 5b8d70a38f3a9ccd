import { isKind } from '../brand.js';
import { SchemaFailedError } from '../errors.js';
import type { JobFactory } from '../job/define-job.js';
import { toFailure } from '../job/failure.js';
import type { ClaimedJob } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import { type Storable, toOutput } from '../job/storable.js';
import { nameOf } from '../mongo/driver-error.js';
import { failedOutcome, finalFailure } from './failed-outcome.js';

/**
 * Runs one attempt, stage by stage: parse the input, run the function, validate what it returned. Never
 * throws: what went wrong is the outcome.
 *
 * An invalid input or output would be as invalid the next time: not retried, unless its schema did not answer in time.
 *
 * @param run calls the function of the job with the parsed input: throws when it is too late to begin
 */
export async function runAttempt(
  factory: JobFactory,
  job: ClaimedJob,
  run: (input: unknown) => Promise<unknown>,
): Promise<Outcome> {
  const refused = (error: unknown) =>
    isUnanswered(error) ? failedOutcome(error, job, factory) : finalFailure(toFailure(error));
  const parsed = await asResult(factory.parseInput(job.input));
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

/** A job that keeps the thread busy makes a schema late that has nothing to do with it. */
function isUnanswered(error: unknown): boolean {
  return isKind(error, SchemaFailedError) && nameOf(error.cause) === 'NoAnswer';
}
