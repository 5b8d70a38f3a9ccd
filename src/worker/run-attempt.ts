import { AttemptAbortedError, RemoteException } from '../errors.js';
import type { JobContext, JobFactory } from '../job/define-job.js';
import { type Outcome, toFailure } from '../job/outcome.js';
import { toStorable } from '../job/storable.js';

/**
 * Runs one attempt, stage by stage: parse the input, run the function, validate what it returned. Never
 * throws: what went wrong is the outcome.
 *
 * An invalid input or output would be as invalid the next time: not retried. What the function throws once it
 * was told that the worker stops counts as "not finished", and is given back.
 *
 * @param context with the raw input as stored
 */
export async function runAttempt(factory: JobFactory, context: JobContext): Promise<Outcome> {
  try {
    const input = await permanent(factory.parseInput(context.input));
    const returned = await factory.run({ ...context, input });
    return { kind: 'completed', output: await permanent(storableOutput(factory, returned)) };
  } catch (error) {
    if (error instanceof RemoteException)
      return { kind: 'failed', failure: toFailure(error), retryable: false };
    if (isStopping(context.signal)) return { kind: 'givenBack' };
    return { kind: 'failed', failure: toFailure(error), retryable: true };
  }
}

async function storableOutput(factory: JobFactory, returned: unknown): Promise<unknown> {
  return toStorable(await factory.parseOutput(returned), `Output of job '${factory.name}'`);
}

/** Turns any rejection into one that is not retried. */
async function permanent<Value>(stage: Promise<Value>): Promise<Value> {
  try {
    return await stage;
  } catch (error) {
    throw new RemoteException(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function isStopping({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof AttemptAbortedError && reason.why === 'stopping';
}
