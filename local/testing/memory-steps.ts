import { randomUUID } from 'node:crypto';
import type { MongoClient } from 'mongodb';
import type { ClaimedJob, JobFactory, LogLineFields, StepFunction, Steps } from '../../src/index.js';
import { toFailure } from '../../src/job/failure.js';
import type { Outcome } from '../../src/job/outcome.js';
import type {
  StepEntry,
  StepsState,
  StepWrite,
  StepWrites,
  StoredSignal,
  WaitWrite,
} from '../../src/job/step-log.js';
import { toPayload } from '../../src/job/storable.js';
import { AttemptSteps } from '../../src/step/attempt-steps.js';
import { callbackSignal } from '../../src/step/callbacks.js';
import type { StepHost, StepStore } from '../../src/step/step-host.js';

import { MemoryChildren } from './memory-children.js';

/** A signal that was sent to a job. Also the answer of a callback, under the name of its step. */
export interface GivenSignal {
  readonly name: string;
  readonly payload?: unknown;
}

/** Values given to a job's steps. */
export interface GivenToSteps {
  readonly signals: readonly GivenSignal[];
  /** Functions that replace the functions of steps, by the names of the steps. */
  readonly steps: Readonly<Record<string, StepFunction<unknown>>>;
  /** Client for `step.transaction`. */
  readonly client?: MongoClient | undefined;
  readonly signal: AbortSignal;
  readonly jobId: string;
  readonly token: string;
  /** Runs a child, and returns its output. */
  runChild(job: JobFactory, input: unknown): Promise<unknown>;
  log(message: string, fields?: LogLineFields): void;
}

/** A step that has ended: it was run, or its wait is over. */
export interface RunStep extends Pick<StepEntry, 'name' | 'kind' | 'state'> {
  readonly result?: unknown;
  /** The wait that the step asked for, in milliseconds, or as the moment of its end. The wait was skipped. */
  readonly waited?: number | Date;
}

/** How a function with steps ended. */
export type RunEnd = { readonly returned: unknown } | { readonly continuedAs: unknown };

/**
 * Steps that are kept in memory. Where a job would be suspended, time is skipped. Then the function is called again, as in
 * a later attempt.
 */
export class MemorySteps {
  readonly #entries = new Map<string, StepEntry>();
  readonly #asked = new Map<string, number | Date>();
  #signals: readonly StoredSignal[];
  #state: StepsState = { run: 1 };
  #now = Date.now();
  #current: AttemptSteps | undefined;
  readonly #children: MemoryChildren;

  constructor(
    private readonly factory: JobFactory,
    private readonly given: GivenToSteps,
  ) {
    this.#children = new MemoryChildren(given.runChild);
    this.#signals = given.signals.flatMap(({ name, payload }) => {
      const signal = { key: randomUUID(), at: new Date(this.#now), payload: toPayload(payload, name).value };
      return [name, callbackSignal({ step: name, run: 1 })].map((each) => ({ ...signal, name: each }));
    });
  }

  /** The steps of the call under way. */
  get current(): Steps {
    if (this.#current) return this.#current;
    throw new Error('The function was not called yet.');
  }

  /** The steps that have ended, in their order. */
  get told(): readonly RunStep[] {
    return [...this.#entries.values()].map(({ name, kind, state, result }) => {
      const waited = this.#asked.get(name);
      return {
        name,
        kind,
        state,
        ...(result !== undefined && { result }),
        ...(waited !== undefined && { waited }),
      };
    });
  }

  /** Calls the function until it has ended. @throws errors of the function, and an Error for a signal that was not given */
  async run(call: () => Promise<unknown>): Promise<RunEnd> {
    for (;;) {
      const ended = await this.#callOnce(call);
      if ('returned' in ended) return ended;
      const { parked } = ended;
      if (parked?.kind === 'continued') return { continuedAs: parked.input };
      if (parked?.kind !== 'suspended') throw this.given.signal.reason;
      this.#keep(parked.writes);
      this.#skip(parked.waits);
    }
  }

  async #callOnce(
    call: () => Promise<unknown>,
  ): Promise<{ readonly returned: unknown } | { readonly parked: Outcome | undefined }> {
    let park: (outcome?: Outcome) => void = () => {};
    const parking = new Promise<{ readonly parked: Outcome | undefined }>((resolve) => {
      park = (parked) => resolve({ parked });
    });
    const steps = new AttemptSteps(this.#host(park));
    this.#current = steps;
    const ended = await Promise.race([call().then((returned) => ({ returned })), parking]);
    if ('returned' in ended) this.#keep({ steps: steps.late });
    return ended;
  }

  #host(park: (outcome?: Outcome) => void): StepHost {
    const { given, factory } = this;
    return {
      attempt: {
        job: this.#job(),
        factory,
        signal: given.signal,
        hasEnded: false,
        timeLeft: () => Number.POSITIVE_INFINITY,
        outOfTime: () => Promise.resolve(),
      },
      report: { log: given.log, toFailure, stepped: () => {}, hold: () => () => {} },
      store: this.#store,
      children: this.#children,
      wholeTimeMs: Number.POSITIVE_INFINITY,
      park,
      callbackUrl: (step) => `https://jobs.test/callbacks/${encodeURIComponent(step)}`,
      maxInPlaceMs: 0,
      replacement: (step) => (Object.hasOwn(given.steps, step) ? given.steps[step] : undefined),
      around: (_, step) => step(),
      onEnded: () => {},
    };
  }

  readonly #store: StepStore = {
    load: async () => ({
      log: { entries: [...this.#entries.values()], signals: this.#signals },
      paged: [],
      now: new Date(this.#now),
    }),
    keep: async (_, writes) => this.#keep(writes),
    addPage: async () => '',
    keepInTransaction: async (_, work) => {
      const { client } = this.given;
      if (!client)
        throw new Error('A transaction needs a client: pass one, { client }, or replace the step.');
      const { result, writes } = await client.withSession((session) =>
        session.withTransaction(() => work(session)),
      );
      this.#keep(writes);
      return result;
    },
  };

  #keep({ steps }: Pick<StepWrites, 'steps'>): void {
    for (const write of steps) {
      this.#entries.delete(write.name);
      this.#entries.set(write.name, this.#toEntry(write));
      this.#signals = this.#signals.filter(({ key }) => key !== write.takes);
    }
  }

  #toEntry({ agoMs, takes: _, isUndoable: __, ...entry }: StepWrite): StepEntry {
    return { ...entry, began: new Date(this.#now - agoMs), stored: new Date(this.#now) };
  }

  /** Moves the time to the end of the first wait. */
  #skip(waits: readonly WaitWrite[]): void {
    const stored = waits.map(({ agoMs, until, ...wait }) => {
      if (until !== undefined && !this.#asked.has(wait.name)) this.#asked.set(wait.name, until);
      const ends = typeof until === 'number' ? new Date(this.#now + until) : until;
      return { ...wait, began: new Date(this.#now - agoMs), ...(ends && { until: ends }) };
    });
    this.#state = { ...this.#state, waits: stored };
    if (stored.some(({ signal }) => this.#signals.some(({ name }) => name === signal))) return;
    const ends = stored.flatMap(({ until }) => until?.getTime() ?? []);
    if (stored.some(({ kind }) => kind === 'children')) return; // They have run when they were added.
    if (ends.length === 0) throw notGiven(waits);
    this.#now = Math.max(this.#now, Math.min(...ends));
  }

  #job(): ClaimedJob {
    const { jobId: id, token } = this.given;
    const now = new Date(this.#now);
    return {
      id,
      token,
      jobName: this.factory.name,
      queue: 'default',
      priority: 0,
      status: 'processing',
      runAt: now,
      created: now,
      queued: now,
      retryCounter: 1,
      givenBackCounter: 0,
      maxRetries: 1,
      retryDelay: null,
      errors: [],
      steps: this.#state,
    };
  }
}

function notGiven(waits: readonly WaitWrite[]): Error {
  const names = waits.map(({ name }) => `'${name}'`).join(', ');
  return new Error(`The job waits for ${names} without a timeout: pass { signals: [{ name, payload }] }.`);
}
