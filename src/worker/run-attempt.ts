import { AttemptAbortedError, RemoteException } from '../errors.js';
import type { AttemptClock, JobContext, JobFactory } from '../job/define-job.js';
import type { ClaimedJob } from '../job/job.js';
import { type Outcome, toFailure } from '../job/outcome.js';
import { toOutput } from '../job/storable.js';
import { failedOutcome } from './failed-outcome.js';

/**
 * Runs one attempt, stage by stage: parse the input, run the function, validate what it returned. Never
 * throws: what went wrong is the outcome.
 *
 * An invalid input or output would be as invalid the next time: not retried. What the function throws once it
 * was told that the worker stops counts as "not finished": undefined, the job is to be given back.
 *
 * @param context with the raw input as stored
 * @param checkIn called last before the function is: throws when it is too late to begin
 */
export async function runAttempt(
  factory: JobFactory,
  job: ClaimedJob,
  context: JobContext,
  clock: AttemptClock,
  checkIn: () => void,
): Promise<Outcome | undefined> {
  try {
    const input = await permanent(factory.parseInput(context.input));
    checkIn();
    const returned = await factory.run({ ...context, input }, clock);
    return { kind: 'completed', output: await permanent(storableOutput(factory, returned)) };
  } catch (error) {
    const outcome = failedOutcome(error, job, factory);
    const isFinal = outcome.kind === 'failed' && outcome.retryAfterMs === null;
    return !isFinal && isStopping(context.signal) ? undefined : outcome;
  }
}

async function storableOutput(factory: JobFactory, returned: unknown): Promise<unknown> {
  return toOutput(await factory.parseOutput(returned), factory.name);
}

/** Turns any rejection into one that is not retried. */
async function permanent<Value>(stage: Promise<Value>): Promise<Value> {
  try {
    return await stage;
  } catch (error) {
    throw new RemoteException(toFailure(error).message, { cause: error });
  }
}

/** A lease that is lost by the worker's own clock may still be held by the database's: it is worth giving back. */
function isStopping({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof AttemptAbortedError && ['stopping', 'lease lost'].includes(reason.why);
}
