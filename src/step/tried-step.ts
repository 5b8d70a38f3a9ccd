import { setTimeout as wait } from 'node:timers/promises';
import { isKind } from '../brand.js';
import { durationSchema } from '../duration.js';
import {
  AttemptAbortedError,
  RateLimited,
  RemoteException,
  RetryAfter,
  Snooze,
  StepFailedError,
  StepInterruptedError,
  ValidationError,
} from '../errors.js';
import { retryDelayMs } from '../job/retry-delay.js';
import { parseBy } from '../job/schema.js';
import type { EndedStep, StepCall } from '../job/step-call.js';
import type { StepContext } from '../job/step-context.js';
import type { StepKind, StepWrite } from '../job/step-log.js';
import { toStepResult } from '../job/storable.js';
import type { ActiveSteps } from './active-steps.js';
import type { StepHost } from './step-host.js';
import type { KnownStep, StepJournal } from './step-journal.js';
import type { ResolvedStepOptions } from './step-options.js';

/** A step that runs a function, and everything that it needs. */
export interface TriedStep {
  readonly name: string;
  readonly kind: StepKind;
  readonly options: ResolvedStepOptions;
  readonly contextOf: (attempt: number) => StepContext;
  /** Does the work, and stores its end. `ended` makes that end from the work's result. Returns the stored step. */
  perform(context: StepContext, ended: (returned: unknown) => Promise<StepWrite>): Promise<StepWrite>;
}

/** The surroundings of a step. */
export interface StepPlace {
  readonly host: StepHost;
  readonly journal: StepJournal;
  readonly active: ActiveSteps;
}

/**
 * Runs a step that has not ended, with its retries, and returns its stored result.
 *
 * @throws StepFailedError after its last try, and errors of its function if it has no retries
 */
export async function tryStep(
  step: TriedStep,
  known: KnownStep | undefined,
  place: StepPlace,
): Promise<unknown> {
  const { name, kind, options } = step;
  const { journal, active } = place;
  requireFitting(step, place.host);
  const putOff = journal.waitOf([name, ...options.was]);
  if (putOff?.until && !journal.isOver(putOff.until))
    return active.wait({ name, kind: 'retry', agoMs: journal.since(putOff.began), until: putOff.until });
  for (let tries = known?.tries ?? 0; ; tries += 1) {
    await active.begin(options.expectedDuration);
    const began = performance.now();
    const entry = { name, kind, ...(tries > 0 && { tries }) };
    if (options.atMostOnce) await journal.store({ ...entry, state: 'begun', agoMs: 0 });
    const ended = async (returned: unknown): Promise<StepWrite> => {
      const result = await storable(() => storedResult(step, returned));
      const agoMs = performance.now() - began;
      return { ...entry, state: 'completed', agoMs, result, ...(options.compensate && { isUndoable: true }) };
    };
    try {
      const call = () => step.perform(step.contextOf(tries + 1), ended);
      const write = await around({ step: name, kind, attempt: tries + 1 }, call, place.host);
      tellEnded(place.host, { ...write, state: 'completed' }, tries + 1);
      return write.result;
    } catch (error) {
      const failed = { ...entry, tries: tries + 1, agoMs: performance.now() - began };
      await afterFailure(error, failed, step, place);
    }
  }
}

/** Refuses a step that takes longer than any attempt may. Giving the job back would not help. @throws ValidationError */
function requireFitting({ name, options }: TriedStep, { wholeTimeMs }: StepHost): void {
  if (options.expectedDuration === 0 || options.expectedDuration < wholeTimeMs) return;
  const message = `expected less than the ${wholeTimeMs} ms that an attempt has here at most: raise the job's timeout or the worker's, or split the step`;
  throw new ValidationError(`Options of step '${name}'`, [{ path: 'expectedDuration', message }]);
}

/** Returns the result of a step that has ended. @throws StepFailedError and StepInterruptedError */
export function resultOf(name: string, { state, result, failure }: KnownStep): unknown {
  if (state === 'begun') throw new StepInterruptedError(name);
  if (state === 'failed') throw new StepFailedError(name, failure?.message ?? 'unknown');
  return result;
}

/** Checks a value. Marks a failure as final, because another try would return the same value. @throws Unstorable */
async function storable<Value>(check: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await check();
  } catch (error) {
    throw new Unstorable('The result cannot be stored.', { cause: error });
  }
}

/**
 * Calls a step inside its middleware. Once the step is stored, no middleware can make it fail.
 *
 * @param work stores the step, and returns the stored one
 */
export async function around<Write>(
  call: StepCall,
  work: () => Promise<Write>,
  host: StepHost,
): Promise<Write> {
  let stored: { readonly write: Write } | undefined;
  try {
    await host.around(call, async () => {
      const write = await work();
      stored = { write };
      return write;
    });
  } catch (error) {
    if (!stored) throw error;
    host.report.log(
      `A middleware failed after step '${call.step}' was stored: ${host.report.toFailure(error).message}`,
    );
  }
  if (!stored) throw new Error(`A middleware did not call step '${call.step}'.`);
  return stored.write;
}

/** Tells that a step has ended. @param tries 0 for a wait */
export function tellEnded(
  host: StepHost,
  { name: step, kind, state, agoMs }: Pick<StepWrite, 'name' | 'kind' | 'agoMs'> & Pick<EndedStep, 'state'>,
  tries: number,
): void {
  host.onEnded({ step, kind, state, tries, durationMs: Math.round(agoMs) });
}

/** Stores that a step has failed for good. @throws StepFailedError */
async function failForGood(
  error: unknown,
  entry: Omit<StepWrite, 'state'>,
  { host, journal }: StepPlace,
): Promise<never> {
  const cause = error instanceof Unstorable ? error.cause : error;
  const failure = host.report.toFailure(cause);
  const failed = { ...entry, state: 'failed', failure } as const;
  await journal.store(failed);
  tellEnded(host, failed, entry.tries ?? 1);
  throw new StepFailedError(entry.name, failure.message, { cause });
}

/** Waits for this time. Never resolves if the attempt has to end first. */
export async function pause(ms: number, { host, active }: StepPlace): Promise<void> {
  await wait(ms, undefined, { signal: host.attempt.signal }).catch(() => {});
  await active.begin(0);
}

async function storedResult({ name, options: { output } }: TriedStep, returned: unknown): Promise<unknown> {
  const stored = toStepResult(returned, name);
  if (output) await parseBy(output, stored, `Result of step '${name}'`);
  return stored;
}

/** Returns when to try the step again. */
async function afterFailure(
  error: unknown,
  entry: Omit<StepWrite, 'state'> & { readonly tries: number },
  { name, options }: TriedStep,
  place: StepPlace,
): Promise<void> {
  const { host, journal, active } = place;
  const isUnstorable = error instanceof Unstorable;
  // The end of an attempt is not the step's fault.
  if (host.attempt.signal.aborted || isKind(error, AttemptAbortedError)) throw error;
  if (!options.retry && !options.atMostOnce && !isUnstorable) throw error;
  // It puts off the whole job, and is no failure of the step.
  if (!options.atMostOnce && (isKind(error, Snooze) || isKind(error, RateLimited))) throw error;
  const isFinal = isUnstorable || isKind(error, RemoteException);
  if (isFinal || !options.retry || entry.tries >= options.retry.attempts)
    return failForGood(error, entry, place);
  const retrying = { ...entry, state: 'retrying', failure: host.report.toFailure(error) } as const;
  const delayMs = askedDelay(error) ?? retryDelayMs(options.retry.delay, entry.tries);
  if (delayMs > host.maxInPlaceMs)
    return active.wait({ name, kind: 'retry', agoMs: 0, until: delayMs }, retrying);
  await journal.store(retrying);
  await pause(delayMs, place);
}

/** Returns the delay that an error asks for, in milliseconds. */
function askedDelay(error: unknown): number | undefined {
  return isKind(error, RetryAfter) ? durationSchema.safeParse(error.delay).data : undefined;
}

/** The result of a step cannot be stored. */
class Unstorable extends Error {}
