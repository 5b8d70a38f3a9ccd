import { setTimeout as wait } from 'node:timers/promises';
import type { JobFactory } from '../job/define-job.js';
import { toFailure } from '../job/failure.js';
import { waitsOf } from '../job/find-steps.js';
import type { Job } from '../job/job.js';
import type { JobContext, JobProcessor } from '../job/job-context.js';
import { Secrets } from '../job/secrets.js';
import type { StepEntry } from '../job/step-log.js';
import { AttemptSteps } from './attempt-steps.js';
import { Undoing } from './compensation.js';
import type { StepHost } from './step-host.js';

/** Result of a replay: the reaction of code to the stored steps of a job. */
export interface Replay {
  /** Stored steps and waits that the code asks for, by their stored names. */
  readonly met: readonly string[];
  /** Steps that would run next, or that the job would wait for next. Empty if the function ends without any. */
  readonly next: readonly string[];
  /** Stored steps and waits that the code did not ask for. They were renamed or removed, or they come after a new step. */
  readonly unmet: readonly string[];
  /** Why the function ended with an error. */
  readonly problem?: string;
}

/** The stored part of a job. */
export interface StoredJob {
  readonly job: Job;
  readonly entries: readonly StepEntry[];
}

/** Time limit of a function for reaching a step that is not stored. */
const LONGEST_MS = 10_000;

/**
 * Calls the function of a job with steps that return only stored results. Stops at the first step that is not stored. No step
 * runs, and nothing is written. Code between the steps does run, and may not use the processor.
 *
 * @param processor has the methods that such code might call
 * @returns undefined if a newer version began the job. This code would skip such a job
 */
export async function replay(
  factory: JobFactory,
  { job, entries }: StoredJob,
  processor: JobProcessor,
): Promise<Replay | undefined> {
  const { version = factory.version } = job.steps ?? {};
  if (version > factory.version) return undefined;
  const stored = statesOf(job, entries);
  const met = new Set<string>();
  const next = new Set<string>();
  const onAsked = (names: readonly [string, ...string[]]) => {
    const name = names.find((each) => stored.has(each)) ?? '';
    const state = stored.get(name);
    if (state !== undefined) met.add(name);
    if (state === undefined || goesOn.has(state)) next.add(names[0]);
  };
  const run = factory.versions?.[version] ?? factory.run;
  const problem = await problemOf(async (park) => {
    const step = new AttemptSteps(hostOf(job, factory, { entries, park, onAsked }));
    const input = await factory.parseInput(job.input);
    return run({ ...contextOf(job, processor), input, step });
  });
  const hide = (text: string) => new Secrets(factory.redact ?? []).learn(job.input).hide(text);
  const unmet = [...stored.keys()].filter((name) => !met.has(name));
  return { met: [...met], next: [...next], unmet, ...(problem !== undefined && { problem: hide(problem) }) };
}

/** Returns the states of the stored steps, and of the waits. */
function statesOf(job: Job, entries: readonly StepEntry[]): ReadonlyMap<string, string> {
  const waits = waitsOf(job).filter(({ kind }) => kind !== 'retry');
  const steps = entries.filter(({ kind }) => kind !== 'compensation');
  return new Map([
    ...waits.map(({ name }) => [name, 'waits'] as const),
    ...steps.map(({ name, state }) => [name, state] as const),
  ]);
}

/** States of steps that have not ended. */
const goesOn: ReadonlySet<string> = new Set(['waits', 'iterating', 'retrying']);

/** Calls a function until it ends or parks, and returns its error. */
async function problemOf(call: (park: () => void) => Promise<unknown>): Promise<string | undefined> {
  const stop = new AbortController();
  const tooLong = wait(LONGEST_MS, 'It came to no further step within 10 s.', { signal: stop.signal });
  const ended = new Promise<string | undefined>((resolve) => {
    call(() => resolve(undefined)).then(
      () => resolve(undefined),
      (error: unknown) => resolve(problemText(error)),
    );
  });
  try {
    return await Promise.race([ended, tooLong]);
  } finally {
    stop.abort();
    tooLong.catch(() => {});
  }
}

function problemText(error: unknown): string | undefined {
  if (error instanceof Undoing) return undefined;
  return error instanceof Error ? error.message : String(error);
}

/** A host of steps without a database. Its attempt has no time left, so that no step begins. */
function hostOf(
  job: Job,
  factory: JobFactory,
  { entries, ...told }: Pick<StoredJob, 'entries'> & Pick<StepHost, 'park' | 'onAsked'>,
): StepHost {
  const never = () => new Promise<never>(() => {});
  return {
    attempt: {
      job: { ...job, token: 'replay' },
      factory,
      signal: new AbortController().signal,
      hasEnded: false,
      timeLeft: () => Number.NEGATIVE_INFINITY,
      outOfTime: async () => {},
    },
    report: { log: () => {}, toFailure, stepped: () => {}, hold: () => () => {} },
    store: {
      load: async () => ({ log: { entries }, paged: [], now: new Date() }),
      keep: never,
      addPage: never,
      keepInTransaction: never,
    },
    children: {
      add: never,
      look: never,
      countFailed: never,
      firstFailure: never,
      retry: never,
      cancel: never,
      read: never,
    },
    wholeTimeMs: Number.POSITIVE_INFINITY,
    maxInPlaceMs: Number.NEGATIVE_INFINITY,
    replacement: () => undefined,
    around: (_, call) => call(),
    onEnded: () => {},
    ...told,
    callbackUrl: () => 'https://replay.invalid/',
  };
}

function contextOf(job: Job, processor: JobProcessor): Omit<JobContext, 'input' | 'step'> {
  return {
    jobId: job.id,
    attempt: job.retryCounter + 1,
    token: 'replay',
    signal: new AbortController().signal,
    processor: new Proxy<JobProcessor>(processor, { get: refuseUse }),
    progress: async () => {},
    log: () => {},
    timeLeft: () => Number.POSITIVE_INFINITY,
    completeIn: () => Promise.reject(new Error('completeIn does nothing in a replay.')),
  };
}

function refuseUse(_: object, name: string | symbol): never {
  throw new Error(`processor.${String(name)} was used between two steps: put it into a step.`);
}
