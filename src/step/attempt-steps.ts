import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { isKind } from '../brand.js';
import { durationSchema } from '../duration.js';
import { ConflictError, JobSuspended, StepFailedError, ValidationError } from '../errors.js';
import { type FanOutOptions, type InvokeOptions, MemberResults } from '../job/children.js';
import { type Failure, toFailure } from '../job/failure.js';
import { MAX_MEMBERS } from '../job/group.js';
import type { JobContract } from '../job/job-contract.js';
import type { NamedBefore } from '../job/named-before.js';
import type { Outcome } from '../job/outcome.js';
import { isJob } from '../job/registry.js';
import { parseBy } from '../job/schema.js';
import { searchKeysOf } from '../job/search-keys.js';
import type { StepContext } from '../job/step-context.js';
import type { CursorWrite, StepWrite, StepWrites } from '../job/step-log.js';
import type {
  CallbackOptions,
  Iterated,
  IterateOptions,
  SignalOptions,
  StepCallback,
  StepFunction,
  Steps,
  TransactionFunction,
} from '../job/steps.js';
import { MAX_STEP_BYTES, toCursor, toInput, toStepResult } from '../job/storable.js';
import { validateNow } from '../validate.js';
import { ActiveSteps, never } from './active-steps.js';
import { callbackSignal } from './callbacks.js';
import { type Children, fanOut } from './child-steps.js';
import { isUndoing, type Undoable, Undoing, undo, undoFirst } from './compensation.js';
import type { StepHost } from './step-host.js';
import { type KnownStep, StepJournal } from './step-journal.js';
import {
  callbackOptionsSchema,
  fanOutOptionsSchema,
  invokeOptionsSchema,
  iterateOptionsSchema,
  momentSchema,
  type ResolvedSignalOptions,
  signalOptionsSchema,
  sleepOptionsSchema,
  stepNameSchema,
  stepOptionsSchema,
} from './step-options.js';
import { around, pause, resultOf, type StepPlace, type TriedStep, tellEnded, tryStep } from './tried-step.js';

/** Maximum number of steps in a run. All of them are read when the job goes on. */
const MAX_STEPS = 10_000;

/** The steps of one attempt. */
export class AttemptSteps implements Steps {
  readonly #names = new Set<string>();
  readonly #active: ActiveSteps;
  readonly #undoable: Undoable[] = [];
  /** Whether the job may have added children. */
  hasChildren = false;
  #loading: Promise<StepJournal> | undefined;
  #journal: StepJournal | undefined;

  constructor(private readonly host: StepHost) {
    this.#active = new ActiveSteps(host, (steps) => this.#writesWith(steps));
  }

  async run<Value>(name: string, ...args: readonly unknown[]): Promise<Value>;
  async run(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const { work, options } = callOf(name, args, functionSchema);
    return this.#call(name, 'run', options, async (journal, context, ended) => {
      const call = this.host.replacement(name) ?? work;
      return journal.store(await ended(await call(context)));
    });
  }

  async transaction<Value>(name: string, ...args: readonly unknown[]): Promise<Value>;
  async transaction(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const { work, options } = callOf(name, args, transactionSchema);
    const { store, attempt } = this.host;
    return this.#call(name, 'transaction', options, async (journal, context, ended) => {
      const replaced = this.host.replacement(name);
      if (replaced) return journal.store(await ended(await replaced(context)));
      await journal.makeRoom();
      const { writes, write } = await this.#withoutReports(() =>
        store.keepInTransaction(attempt.job, async (session) => {
          const ending = await ended(await work(session, context));
          const all = journal.writesWith(ending);
          return { writes: all, result: { writes: all, write: ending } };
        }),
      );
      journal.stored(writes, write);
      return write;
    });
  }

  /** Holds back the attempt's reports while `work` changes the job in a transaction. */
  async #withoutReports<Result>(work: () => Promise<Result>): Promise<Result> {
    const letGo = this.host.report.hold();
    try {
      return await work();
    } finally {
      letGo();
    }
  }

  async iterate<Cursor, Value>(
    name: string,
    options: IterateOptions<Cursor>,
    work: (cursor: Cursor, step: StepContext) => Promise<Iterated<Cursor, Value>> | Iterated<Cursor, Value>,
  ): Promise<Value>;
  async iterate(
    name: string,
    options: unknown,
    work: (cursor: unknown, step: StepContext) => unknown,
  ): Promise<unknown> {
    const valid = validateNow(iterateOptionsSchema, options, `Options of step '${name}'`);
    return this.#step(name, valid.was, async (place, known) => {
      if (known && known.state !== 'iterating') return resultOf(name, known);
      requireForward(place.journal);
      const iterate = () => this.#iterate(name, valid, known, work, place);
      try {
        const write = await around({ step: name, kind: 'iterate', attempt: 1 }, iterate, this.host);
        tellEnded(this.host, { ...write, state: 'completed' }, 1);
        return write.result;
      } catch (error) {
        // Middleware has seen that the step is suspended. The job's function sees nothing.
        return isKind(error, JobSuspended) ? this.#active.stopHere() : Promise.reject(error);
      }
    });
  }

  /** Iterates until the end, stores the result, and returns it. @throws JobSuspended if there is no time for another call */
  async #iterate(
    name: string,
    { start, cursor: schema }: z.output<typeof iterateOptionsSchema>,
    known: KnownStep | undefined,
    work: (cursor: unknown, step: StepContext) => unknown,
    place: StepPlace,
  ): Promise<StepWrite> {
    const { journal } = place;
    const began = performance.now();
    const entryOf = (calls: number) =>
      ({ name, kind: 'iterate', calls, agoMs: performance.now() - began }) as const;
    const replaced = this.host.replacement(name);
    const context = this.#contextOf(name)(1);
    let cursor = known ? known.cursor : toCursor(start, name);
    let longestMs = 0;
    for (let calls = (known?.calls ?? 0) + 1; ; calls += 1) {
      if (!(await this.#active.mayBegin(longestMs))) throw new JobSuspended();
      const callBegan = performance.now();
      const given = schema ? await parseBy(schema, cursor, `Cursor of step '${name}'`) : cursor;
      const returned = replaced ? { done: await replaced(context) } : await work(given, context);
      longestMs = Math.max(longestMs, performance.now() - callBegan);
      const { next, done, isDone } = iterated(name, returned);
      if (isDone) {
        const result = storedForm(name, () => toStepResult(done, name));
        const write = { ...entryOf(calls), state: 'completed', result } as const;
        return journal.store(write);
      }
      cursor = storedForm(name, () => toCursor(next, name));
      journal.later({ ...entryOf(calls), state: 'iterating', cursor });
      this.host.report.stepped();
    }
  }

  async sleep(name: string, duration: number | string, options: NamedBefore = {}): Promise<void> {
    const ms = validateNow(durationSchema, duration, `Duration of step '${name}'`);
    return this.#sleep(name, options, ms);
  }

  async sleepUntil(name: string, moment: Date, options: NamedBefore = {}): Promise<void> {
    return this.#sleep(name, options, validateNow(momentSchema, moment, `Moment of step '${name}'`));
  }

  async #sleep(name: string, options: NamedBefore, until: Date | number): Promise<void> {
    const { was } = validateNow(sleepOptionsSchema, options, `Options of step '${name}'`);
    return this.#step(name, was, async (place, known) => {
      if (known) return;
      const { journal } = place;
      requireForward(journal);
      const stored = journal.waitOf([name, ...was]);
      const agoMs = stored ? journal.since(stored.began) : 0;
      if (stored?.until === undefined || !journal.isOver(stored.until)) {
        const wake = stored?.until ?? until;
        // Only the database knows whether a moment has come.
        if (wake instanceof Date || wake > this.host.maxInPlaceMs)
          return this.#active.wait({ name, kind: 'sleep', agoMs, until: wake });
        await pause(wake, place);
      }
      this.#waited(journal, { name, kind: 'sleep', state: 'completed', agoMs });
    });
  }

  async waitForSignal<Payload>(name: string, options?: SignalOptions): Promise<Payload | undefined>;
  async waitForSignal(name: string, options: SignalOptions = {}): Promise<unknown> {
    const valid = validateNow(signalOptionsSchema, options, `Options of step '${name}'`);
    return this.#awaitSignal(name, valid.signal ?? name, valid);
  }

  async callback<Answer>(name: string, options?: CallbackOptions): Promise<StepCallback<Answer>>;
  async callback(name: string, options: CallbackOptions = {}): Promise<StepCallback<unknown>> {
    const valid = validateNow(callbackOptionsSchema, options, `Options of step '${name}'`);
    validateNow(stepNameSchema, name, 'Name of a step');
    const of = { step: firstName(name, valid.was), run: this.#run };
    const url = this.host.callbackUrl(of.step, of.run);
    const wait = () => this.#awaitSignal(name, callbackSignal(of), valid);
    return { url, wait };
  }

  #awaitSignal(
    name: string,
    signal: string,
    { was, schema, timeout }: ResolvedSignalOptions,
  ): Promise<unknown> {
    const parse = (payload: unknown) =>
      schema ? parseBy(schema, payload, `Payload of signal '${signal}'`) : payload;
    return this.#step(name, was, async ({ journal }, known) => {
      if (known) return known.state === 'timedOut' ? undefined : parse(known.result);
      requireForward(journal);
      const stored = journal.waitOf([name, ...was]);
      const entry = { name, kind: 'signal', agoMs: stored ? journal.since(stored.began) : 0 } as const;
      for (let found = journal.signalNamed(signal); found; found = journal.signalNamed(signal)) {
        const { key: takes, payload } = found;
        const parsed = await this.#unlessRefused(() => parse(payload));
        if (!parsed) {
          journal.drop(found);
          continue;
        }
        const write = { ...entry, state: 'completed', result: payload, takes } as const;
        await journal.store(write);
        tellEnded(this.host, write, 0);
        return parsed.value;
      }
      if (stored?.until === undefined || !journal.isOver(stored.until)) {
        const until = stored?.until ?? timeout;
        return this.#active.wait({ ...entry, signal, ...(until !== undefined && { until }) });
      }
      this.#waited(journal, { ...entry, state: 'timedOut' });
      return undefined;
    });
  }

  /** Returns undefined for a payload that the step's schema refuses. Other payloads may follow. */
  async #unlessRefused(parse: () => unknown): Promise<{ readonly value: unknown } | undefined> {
    try {
      return { value: await parse() };
    } catch (error) {
      if (!isKind(error, ValidationError)) throw error;
      this.host.report.log(`A signal was dropped: ${error.message}`);
      return undefined;
    }
  }

  async invoke<Output>(name: string, ...args: readonly unknown[]): Promise<Output>;
  async invoke(
    name: string,
    kind: string | JobContract,
    input?: unknown,
    options: InvokeOptions = {},
  ): Promise<unknown> {
    const { compensate, ...valid } = validateNow(invokeOptionsSchema, options, `Options of step '${name}'`);
    const undoing = stepOptionsSchema.parse({ was: valid.was, compensate });
    const replaced = this.host.replacement(name);
    if (replaced) return this.run(name, undoing, replaced);
    const results = await this.#fanOut({
      name,
      kind,
      inputs: [input],
      options: { ...valid, onError: 'fail' },
      isUndoable: compensate !== undefined,
    });
    const [output] = await results.outputs();
    if (compensate) this.#undoable.push({ name, value: output, options: undoing });
    return output;
  }

  async fanOut<Output>(name: string, ...args: readonly unknown[]): Promise<MemberResults<Output>>;
  async fanOut(
    name: string,
    kind: string | JobContract,
    inputs: readonly unknown[],
    options: FanOutOptions = {},
  ): Promise<MemberResults> {
    const valid = validateNow(fanOutOptionsSchema, options, `Options of step '${name}'`);
    validateNow(inputsSchema, inputs, `Inputs of step '${name}'`);
    const replaced = this.host.replacement(name);
    if (!replaced) return this.#fanOut({ name, kind, inputs, options: valid });
    return replacedResults(await this.run(name, { was: valid.was }, replaced));
  }

  #fanOut(children: Children): Promise<MemberResults> {
    const { name, kind, options } = children;
    validateNow(kindSchema, kind, `Job of step '${name}'`);
    return this.#step(name, options.was, (place, known) => {
      if (known?.state !== 'completed' && known?.state !== 'failed') requireForward(place.journal);
      this.hasChildren = true;
      return fanOut(children, this.#run, known, place);
    });
  }

  async continueAs(input: unknown): Promise<never> {
    this.#requireGoingOn('continueAs');
    const { factory, job } = this.host.attempt;
    return this.#active.during(async () => {
      requireForward((await this.#place()).journal);
      await factory.parseInput(input);
      const stored = toInput(input, job.jobName);
      return this.#active.park({
        kind: 'continued',
        input: stored,
        keys: searchKeysOf(factory.searchable, stored),
      });
    });
  }

  /** The steps to store along with a report of the attempt. */
  get late(): readonly CursorWrite[] {
    return this.#journal?.late ?? [];
  }

  /** Notes that steps were stored along with a report. */
  storedLate(steps: readonly StepWrite[]): void {
    this.#journal?.stored({ steps });
  }

  /** Whether the job has failed for good, and its steps are being undone. */
  get isUndoing(): boolean {
    return this.#journal !== undefined && isUndoing(this.#journal);
  }

  /** Refuses to go on if the job has failed for good. @throws Undoing */
  requireForward(): void {
    if (this.#journal) requireForward(this.#journal);
  }

  /** Refuses an output that does not fit into the job's document beside its input and steps. @throws ValidationError */
  requireRoomFor(outputBytes: number): void {
    // Sizes are worth their computing for large outputs only.
    if (outputBytes < MAX_STEP_BYTES || !this.#journal) return;
    const most = this.#journal.roomForOutput;
    if (outputBytes <= most) return;
    const message = `expected at most ${most} bytes as BSON beside the job's input and steps, not ${outputBytes}: store the data elsewhere and return a reference`;
    throw new ValidationError(`Output of job '${this.host.attempt.job.jobName}'`, [{ path: '', message }]);
  }

  /**
   * Whether the attempt has made progress: it has stored a step or the end of a wait, or it has a step or a cursor to store.
   */
  get hasProgressed(): boolean {
    return this.#journal?.hasProgressed === true;
  }

  /**
   * Returns the outcome of an attempt that makes the job fail for good: the job is suspended, and the next attempt undoes its
   * steps. Returns undefined if there are no steps to undo, or if they are being undone.
   */
  failedBy(failure: Failure): Outcome | undefined {
    const { undo: marked } = this.host.attempt.job.steps ?? {};
    if (this.isUndoing || marked === 'underWay') return undefined;
    if (this.#undoable.length === 0 && marked === undefined) return undefined;
    return undoFirst(failure, (steps) => this.#writesWith(steps));
  }

  /** Undoes the steps, and returns the error with which the job ends. Never resolves if the attempt has to end first. */
  async undo(): Promise<Error> {
    return undo(this.#undoable, await this.#place(), (name) => this.#contextOf(name));
  }

  /** Does a step of a function, and remembers how to undo it. */
  #call(
    name: string,
    kind: TriedStep['kind'],
    options: z.output<typeof stepOptionsSchema>,
    perform: (journal: StepJournal, ...args: Parameters<TriedStep['perform']>) => Promise<StepWrite>,
  ): Promise<unknown> {
    return this.#step(name, options.was, async (place, known) => {
      const stored = await this.#resultOf(
        {
          name,
          kind,
          options,
          contextOf: this.#contextOf(firstName(name, options.was)),
          perform: (...args) => perform(place.journal, ...args),
        },
        known,
        place,
      );
      const { output, compensate } = options;
      const value = output ? await parseBy(output, stored, `Stored result of step '${name}'`) : stored;
      if (compensate) this.#undoable.push({ name, value, options });
      return value;
    });
  }

  async #resultOf(step: TriedStep, known: KnownStep | undefined, place: StepPlace): Promise<unknown> {
    if (known && known.state !== 'retrying') return resultOf(step.name, known);
    requireForward(place.journal);
    return tryStep(step, known, place);
  }

  /** Notes the end of a wait. It is stored along with the next write. */
  #waited(journal: StepJournal, write: StepWrite & { readonly state: 'completed' | 'timedOut' }): void {
    journal.later(write);
    tellEnded(this.host, write, 0);
  }

  /** Does a step after its name is checked and the stored steps are read. */
  async #step<Value>(
    name: string,
    was: readonly string[],
    step: (place: StepPlace, known: KnownStep | undefined) => Promise<Value>,
  ): Promise<Value> {
    this.#requireGoingOn(`Step '${name}'`);
    requireOutside(name);
    this.#useName(name);
    if (this.#active.isParked) return never();
    return stepUnderWay.run(name, () =>
      this.#active.during(async () => {
        const place = await this.#place();
        this.host.onAsked?.([name, ...was]);
        return step(place, place.journal.known([name, ...was]));
      }),
    );
  }

  #useName(name: string): void {
    validateNow(stepNameSchema, name, 'Name of a step');
    const refuse = (message: string) => {
      throw new ValidationError(`Step '${name}'`, [{ path: 'name', message }]);
    };
    if (this.#names.has(name)) refuse('expected a name that no other step of the run has');
    if (this.#names.size >= MAX_STEPS)
      refuse(`expected at most ${MAX_STEPS} steps: use iterate, or go on with continueAs`);
    this.#names.add(name);
  }

  /**
   * Refuses to go on if the attempt has ended. A parked attempt has not, because its function is called anew. @throws
   * ConflictError
   */
  #requireGoingOn(subject: string): void {
    const { hasEnded, job } = this.host.attempt;
    if (hasEnded && !this.#active.isParked)
      throw new ConflictError(job.id, `${subject} comes too late: the attempt of job '${job.id}' has ended.`);
  }

  async #place(): Promise<StepPlace> {
    this.#loading ??= this.#load();
    return { host: this.host, active: this.#active, journal: await this.#loading };
  }

  async #load(): Promise<StepJournal> {
    const { attempt, store } = this.host;
    const { job } = attempt;
    const isNew = job.steps === undefined;
    this.#journal = new StepJournal(
      this.host,
      isNew ? { log: {}, paged: [], now: new Date() } : await store.load(job),
    );
    return this.#journal;
  }

  #writesWith(steps: readonly StepWrite[]): StepWrites {
    const writes = this.#journal?.writesWith() ?? { steps: [], version: this.host.attempt.factory.version };
    return { ...writes, steps: [...writes.steps, ...steps] };
  }

  get #run(): number {
    return this.host.attempt.job.steps?.run ?? 1;
  }

  #contextOf(name: string): (attempt: number) => StepContext {
    const { job, signal } = this.host.attempt;
    const of = JSON.stringify([job.id, this.#run, name]);
    const idempotencyKey = createHash('sha256').update(of).digest('base64url');
    return (attempt) => ({ idempotencyKey, attempt, signal });
  }
}

/**
 * Returns the first name that a step had. The step's links and idempotency key contain it, so they stay the same after a
 * renaming.
 */
function firstName(name: string, was: readonly string[]): string {
  return was.at(-1) ?? name;
}

/** The step whose function is running. */
const stepUnderWay = new AsyncLocalStorage<string>();

/**
 * Refuses a step inside another step. When the inner step suspends the job, the outer one could not be stored. @throws
 * ValidationError
 */
function requireOutside(name: string): void {
  const outer = stepUnderWay.getStore();
  if (outer === undefined) return;
  const message = `expected not to be inside of step '${outer}': steps are called by the job's function alone`;
  throw new ValidationError(`Step '${name}'`, [{ path: '', message }]);
}

/**
 * Returns the result of an iteration in its stored form. If that fails, its last cursor stays, so that retrying the job
 * continues there.
 *
 * @throws StepFailedError
 */
function storedForm<Value>(name: string, convert: () => Value): Value {
  try {
    return convert();
  } catch (error) {
    throw new StepFailedError(name, toFailure(error).message, { cause: error });
  }
}

const inputsSchema = z.array(z.unknown()).max(MAX_MEMBERS);

const kindSchema = z.custom<string | JobContract>(
  (kind) => typeof kind === 'string' || isJob(kind),
  'expected the name of a job, or its factory or contract',
);

/** Returns the results that the testing kit was given in place of children's results. */
function replacedResults(outputs: unknown): MemberResults {
  const all = Array.isArray(outputs) ? outputs : [];
  const results = all.map(
    (output, index) => ({ index, id: `replaced.${index}`, status: 'completed', output }) as const,
  );
  return new MemberResults(all.length, 0, async (from, count) => results.slice(from, from + count));
}

const functionSchema = z.custom<StepFunction<unknown>>(
  (value) => typeof value === 'function',
  'expected a function',
);

const transactionSchema = z.custom<TransactionFunction<unknown>>(
  (value) => typeof value === 'function',
  'expected a function',
);

/** Returns the arguments of `run` or `transaction` after the name: the options, if there are any, and a function. */
function callOf<Work>(name: string, args: readonly unknown[], schema: z.ZodType<Work>) {
  const [options, work] = args.length < 2 ? [{}, args[0]] : args;
  return {
    options: validateNow(stepOptionsSchema, options, `Options of step '${name}'`),
    work: validateNow(schema, work, `Function of step '${name}'`),
  };
}

/** Refuses to go on if the job has failed for good. @throws Undoing */
function requireForward(journal: StepJournal): void {
  if (isUndoing(journal)) throw new Undoing();
}

function iterated(
  name: string,
  returned: unknown,
): { readonly next?: unknown; readonly done?: unknown; readonly isDone: boolean } {
  const isObject = typeof returned === 'object' && returned !== null;
  if (isObject && 'done' in returned) return { done: returned.done, isDone: true };
  if (isObject && 'next' in returned) return { next: returned.next, isDone: false };
  throw new ValidationError(`The function of step '${name}'`, [
    { path: '', message: 'expected { next: cursor } or { done: value } to be returned' },
  ]);
}
