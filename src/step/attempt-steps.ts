import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { ClientSession } from 'mongodb';
import * as z from 'zod';
import { isKind } from '../brand.js';
import { durationSchema } from '../duration.js';
import {
  AttemptAbortedError,
  ConflictError,
  JobSuspended,
  RemoteException,
  RetryAfter,
  StepFailedError,
  StepInterruptedError,
  ValidationError,
} from '../errors.js';
import { type Failure, toFailure, withRemark } from '../job/failure.js';
import type { Outcome } from '../job/outcome.js';
import { retryDelayMs } from '../job/retry-delay.js';
import { parseBy } from '../job/schema.js';
import type { EndedStep, StepCall } from '../job/step-call.js';
import type { CursorWrite, StepKind, StepWrite, StepWrites, WaitWrite } from '../job/step-log.js';
import type {
  CallbackOptions,
  Iterated,
  IterateOptions,
  NamedBefore,
  SignalOptions,
  StepCallback,
  StepContext,
  StepFunction,
  Steps,
  TransactionFunction,
} from '../job/steps.js';
import { toCursor, toInput, toStepResult } from '../job/storable.js';
import { validateNow } from '../validate.js';
import { callbackSignal } from './callbacks.js';
import type { StepHost } from './step-host.js';
import { type KnownStep, StepJournal } from './step-journal.js';
import {
  callbackOptionsSchema,
  compensationRetry,
  iterateOptionsSchema,
  momentSchema,
  type ResolvedStepOptions,
  signalOptionsSchema,
  sleepOptionsSchema,
  stepNameSchema,
  stepOptionsSchema,
} from './step-options.js';

/** Maximum number of steps in a run. All are read when the job goes on. */
const MAX_STEPS = 10_000;

/** Where the failure is kept because of which the steps are being undone. No step has this name. */
const FAILURE = '(failure)';

/** A step that is undone if the job fails. */
interface Undoable {
  readonly name: string;
  readonly value: unknown;
  readonly options: ResolvedStepOptions;
}

/** How one kind of step does its work. `store` stores its end, or has done so. */
interface Work {
  readonly kind: StepKind;
  readonly options: ResolvedStepOptions;
  run(
    context: StepContext,
    journal: StepJournal,
    ended: (returned: unknown) => Promise<StepWrite>,
  ): Promise<unknown>;
}

/** An iteration under way. */
interface Iteration {
  readonly work: (cursor: unknown, step: StepContext) => unknown;
  readonly journal: StepJournal;
  readonly known: KnownStep | undefined;
  /** Returns the error that ends it in this attempt. */
  readonly suspend: () => Error;
}

/** The steps of one attempt. */
export class AttemptSteps implements Steps {
  readonly #names = new Set<string>();
  /** Steps that are under way: they run, read or write. */
  #active = 0;
  /** What the job waits for once no step is under way. */
  readonly #waits = new Map<string, WaitWrite>();
  /** Steps to be stored with the suspension. */
  readonly #withSuspension: StepWrite[] = [];
  #isOutOfTime = false;
  #isParked = false;
  #loading: Promise<StepJournal> | undefined;
  #journal: StepJournal | undefined;
  readonly #undoable: Undoable[] = [];
  /** Whether the attempt has stored a step, or has a cursor to store. */
  hasProgressed = false;

  constructor(private readonly host: StepHost) {}

  async run<Value>(name: string, ...args: readonly unknown[]): Promise<Value>;
  async run(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const { work, options } = callOf(name, args, functionSchema);
    return this.#call(name, {
      kind: 'run',
      options,
      run: async (context, journal, ended) => {
        const call = this.host.replacement(name) ?? work;
        return this.#keep(journal, await ended(await call(context)));
      },
    });
  }

  async transaction<Value>(name: string, ...args: readonly unknown[]): Promise<Value>;
  async transaction(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const { work, options } = callOf(name, args, transactionSchema);
    return this.#call(name, {
      kind: 'transaction',
      options,
      run: async (context, journal, ended) => {
        const { store, job, replacement } = this.host;
        const call = replacement(name);
        if (call) return this.#keep(journal, await ended(await call(context)));
        const write = await store.keepInTransaction(job, async (session: ClientSession) => {
          const result = await ended(await work(session, context));
          return { result, writes: journal.writesWith(result) };
        });
        journal.stored({ steps: [] }, write);
        return write.result;
      },
    });
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
    return this.#step(name, valid.was, async (journal, known) => {
      if (known && known.state !== 'iterating') return this.#ended(name, known);
      this.#requireForward(journal);
      let isSuspended = false;
      const suspend = () => {
        isSuspended = true;
        return new JobSuspended();
      };
      const iterate = () => this.#iterate(name, valid, { work, journal, known, suspend });
      try {
        return await this.#around({ step: name, kind: 'iterate', attempt: 1 }, iterate);
      } catch (error) {
        if (isSuspended) return this.#stopHere();
        if (!(error instanceof Unstorable)) throw error;
        throw new StepFailedError(name, toFailure(error.cause).message, { cause: error.cause });
      }
    });
  }

  /** Iterates until the end, which it stores. @throws what `suspend` returns, once there is no time for another call */
  async #iterate(
    name: string,
    { start, cursor: schema }: z.output<typeof iterateOptionsSchema>,
    { work, journal, known, suspend }: Iteration,
  ): Promise<unknown> {
    const began = performance.now();
    const entry = () => ({ name, kind: 'iterate', agoMs: performance.now() - began }) as const;
    const call = this.host.replacement(name);
    let { cursor = toCursor(start, name), calls = 0 } = known ?? {};
    let longest = 0;
    for (;;) {
      if (!(await this.#mayBegin(longest))) throw suspend();
      const callBegan = performance.now();
      const given = schema ? await parseBy(schema, cursor, `Cursor of step '${name}'`) : cursor;
      const context = this.#contextOf(name, journal, 1);
      const returned = call ? { done: await call(context) } : await work(given, context);
      longest = Math.max(longest, performance.now() - callBegan);
      const { next, done, isDone } = iterated(name, returned);
      if (isDone) {
        const result = await this.#storable(name, () => toStepResult(done, name));
        const write = { ...entry(), state: 'completed', calls, result } as const;
        await this.#store(journal, write);
        this.#tellEnded(write, 1);
        return result;
      }
      cursor = await this.#storable(name, () => toCursor(next, name));
      calls += 1;
      this.hasProgressed = true;
      journal.later({ ...entry(), state: 'iterating', cursor, calls });
      this.host.onCursor();
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
    return this.#step(name, was, async (journal, known) => {
      if (known) return;
      this.#requireForward(journal);
      const stored = journal.waitOf([name, ...was]);
      const agoMs = stored ? journal.since(stored.began) : 0;
      if (!(stored?.until && journal.isOver(stored.until))) {
        const wake = stored?.until ?? until;
        // Only the database knows whether a moment has come.
        if (wake instanceof Date || wake > this.host.maxInPlaceMs)
          return this.#wait({ name, kind: 'sleep', agoMs, until: wake });
        await this.#pause(wake);
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
    const { run = 1 } = this.host.job.steps ?? {};
    const url = this.host.callbackUrl(name, run);
    const wait = () => this.#awaitSignal(name, callbackSignal({ step: name, run }), valid);
    return { url, wait };
  }

  #awaitSignal(
    name: string,
    signal: string,
    { was, schema, timeout }: Omit<z.output<typeof signalOptionsSchema>, 'signal'>,
  ): Promise<unknown> {
    return this.#step(name, was, async (journal, known) => {
      const parse = (payload: unknown) =>
        schema ? parseBy(schema, payload, `Payload of signal '${signal}'`) : payload;
      if (known) return known.state === 'timedOut' ? undefined : parse(known.result);
      this.#requireForward(journal);
      const stored = journal.waitOf([name, ...was]);
      const agoMs = stored ? journal.since(stored.began) : 0;
      const entry = { name, kind: 'signal', agoMs } as const;
      for (let found = journal.signalNamed(signal); found; found = journal.signalNamed(signal)) {
        const { key: takes, payload } = found;
        try {
          const parsed = await parse(payload);
          const write = { ...entry, state: 'completed', result: payload, takes } as const;
          await this.#store(journal, write);
          this.#tellEnded(write, 0);
          return parsed;
        } catch (error) {
          if (!isKind(error, ValidationError)) throw error;
          this.host.log(`A signal was dropped: ${error.message}`);
          journal.drop(found);
        }
      }
      if (!stored || stored.until === undefined || !journal.isOver(stored.until))
        return this.#wait({ name, kind: 'signal', signal, agoMs, ...untilOf(stored?.until ?? timeout) });
      this.#waited(journal, { ...entry, state: 'timedOut' });
      return undefined;
    });
  }

  async continueAs(input: unknown): Promise<never> {
    if (this.#isOver()) throw this.#tooLate('continueAs');
    await this.host.factory.parseInput(input);
    const stored = toInput(input, this.host.job.jobName);
    if (!this.#isParked) {
      this.#isParked = true;
      this.host.park({ kind: 'continued', input: stored });
    }
    return never();
  }

  /** The steps that are to be stored along with a report of the attempt. */
  get late(): readonly CursorWrite[] {
    return this.#journal?.late ?? [];
  }

  /** Notes that steps were stored along with a report. */
  storedLate(steps: readonly StepWrite[]): void {
    this.#journal?.stored({ steps });
  }

  /** Whether the job has failed for good, and its steps are being undone. */
  get isUndoing(): boolean {
    return this.#journal?.known([FAILURE]) !== undefined;
  }

  /** Whether the job has steps to undo once it has failed for good. */
  get hasUndoable(): boolean {
    return this.#undoable.length > 0;
  }

  /** Suspends the failed job. The next attempt undoes its steps. */
  failAndUndo(error: unknown): void {
    const write = {
      name: FAILURE,
      kind: 'compensation',
      state: 'begun',
      failure: toFailure(error),
      agoMs: 0,
    } as const;
    const wakeAtOnce = { name: FAILURE, kind: 'retry', agoMs: 0, until: 0 } as const;
    this.#isParked = true;
    const writes = this.#journal?.writesWith(write) ?? this.#writes([write]);
    this.host.park({ kind: 'suspended', writes, waits: [wakeAtOnce] });
  }

  /**
   * Undoes the steps, the last first, and returns the error with which the job ends. Never resolves if the attempt ends
   * before.
   */
  async undo(): Promise<Error> {
    const journal = await this.#load();
    const { failure = { message: 'unknown' } } = journal.known([FAILURE]) ?? {};
    const problems: string[] = [];
    for (const each of this.#undoable.reverse()) {
      const problem = await this.#undoOne(each);
      if (problem !== undefined) problems.push(problem);
    }
    return asError(problems.length === 0 ? failure : withRemark(failure, problems.join('; ')));
  }

  async #undoOne({ name, value, options }: Undoable): Promise<string | undefined> {
    const retry = compensationRetry(options);
    const undoing = `${name} (compensation)`;
    try {
      await this.#step(undoing, [], (journal, known) =>
        this.#perform(undoing, journal, known, {
          kind: 'compensation',
          options: { ...options, retry, atMostOnce: false, output: undefined, compensate: undefined },
          run: async (context, _, ended) => {
            const call = this.host.replacement(undoing);
            await (call ? call(context) : options.compensate?.(value, context));
            await journal.store(await ended(undefined));
            return undefined;
          },
        }),
      );
      return undefined;
    } catch (error) {
      if (!isKind(error, StepFailedError)) throw error;
      return `the compensation of step '${name}' failed too: ${error.message}`;
    }
  }

  /** Does a step, and remembers how it is undone. */
  #call(name: string, work: Work): Promise<unknown> {
    const { options } = work;
    return this.#step(name, options.was, async (journal, known) => {
      const stored = await this.#perform(name, journal, known, work);
      const value = await this.#parsed(name, options.output, stored);
      if (options.compensate) this.#undoable.push({ name, value, options });
      return value;
    });
  }

  /** Returns the stored result of a step, or does its work, with retries. */
  async #perform(
    name: string,
    journal: StepJournal,
    known: KnownStep | undefined,
    work: Work,
  ): Promise<unknown> {
    const { kind, options } = work;
    if (known && known.state !== 'retrying') return this.#ended(name, known);
    if (kind !== 'compensation') this.#requireForward(journal);
    const putOff = journal.waitOf([name, ...options.was]);
    if (putOff?.until && !journal.isOver(putOff.until))
      return this.#wait({
        name,
        kind: 'retry',
        agoMs: journal.since(putOff.began),
        until: putOff.until,
      });
    for (let tries = known?.tries ?? 0; ; tries += 1) {
      await this.#begin(options.expectedDuration);
      const began = performance.now();
      const agoMs = () => performance.now() - began;
      if (options.atMostOnce) await journal.store({ name, kind, state: 'begun', agoMs: 0 });
      const ended = async (returned: unknown): Promise<StepWrite> => {
        const result = await this.#storable(name, async () => {
          const value = toStepResult(returned, name);
          if (options.output) await parseBy(options.output, value, `Result of step '${name}'`);
          return value;
        });
        return { name, kind, state: 'completed', agoMs: agoMs(), ...(tries > 0 && { tries }), result };
      };
      try {
        const context = this.#contextOf(name, journal, tries + 1);
        const call = { step: name, kind, attempt: tries + 1 };
        const result = await this.#around(call, () => work.run(context, journal, ended));
        this.hasProgressed = true;
        this.#tellEnded({ name, kind, state: 'completed', agoMs: agoMs() }, tries + 1);
        return result;
      } catch (error) {
        await this.#failed(error, { name, kind, tries: tries + 1, agoMs: agoMs() }, journal, options);
      }
    }
  }

  /** Returns when the step is to be tried again. @throws the error, or StepFailedError after the last try */
  async #failed(
    error: unknown,
    entry: Pick<StepWrite, 'name' | 'kind' | 'agoMs'> & { readonly tries: number },
    journal: StepJournal,
    { retry, atMostOnce }: ResolvedStepOptions,
  ): Promise<void> {
    const { name, tries } = entry;
    const isPermanent = error instanceof Unstorable || isKind(error, RemoteException);
    // An attempt that is to end is not the step's fault.
    if (this.host.signal.aborted || isKind(error, AttemptAbortedError)) throw error;
    if (!retry && !atMostOnce && !(error instanceof Unstorable)) throw error;
    const failure = toFailure(error instanceof Unstorable ? error.cause : error);
    if (isPermanent || !retry || tries >= retry.attempts) {
      const failed = { ...entry, state: 'failed', failure } as const;
      await journal.store(failed);
      this.#tellEnded(failed, tries);
      throw new StepFailedError(name, failure.message, { cause: error });
    }
    const write = { ...entry, state: 'retrying', failure } as const;
    const delayMs = askedDelay(error) ?? retryDelayMs(retry.delay, tries);
    if (delayMs > this.host.maxInPlaceMs) {
      this.#withSuspension.push(write);
      return this.#wait({ name, kind: 'retry', agoMs: 0, until: delayMs });
    }
    await journal.store(write);
    await this.#pause(delayMs);
  }

  /** Returns the result of a step that has ended. @throws StepFailedError and StepInterruptedError */
  #ended(name: string, { state, result, failure }: KnownStep): unknown {
    if (state === 'begun') throw new StepInterruptedError(name);
    if (state === 'failed') throw new StepFailedError(name, failure?.message ?? 'unknown');
    return result;
  }

  async #parsed(name: string, schema: StandardSchemaV1 | undefined, stored: unknown): Promise<unknown> {
    return schema ? parseBy(schema, stored, `Stored result of step '${name}'`) : stored;
  }

  /** @throws Unstorable for a value that is refused */
  async #storable<Value>(name: string, check: () => Value | Promise<Value>): Promise<Value> {
    try {
      return await check();
    } catch (error) {
      throw new Unstorable(name, { cause: error });
    }
  }

  async #keep(journal: StepJournal, write: StepWrite): Promise<unknown> {
    await journal.store(write);
    return write.result;
  }

  async #store(journal: StepJournal, write: StepWrite): Promise<void> {
    await journal.store(write);
    this.hasProgressed = true;
  }

  /** Does a step, once its name is checked and the stored steps are read. */
  async #step<Value>(
    name: string,
    was: readonly string[],
    step: (journal: StepJournal, known: KnownStep | undefined) => Promise<Value>,
  ): Promise<Value> {
    if (this.#isOver()) throw this.#tooLate(`Step '${name}'`);
    this.#useName(name);
    if (this.#isParked) return never();
    this.#active += 1;
    try {
      const journal = await this.#load();
      return await step(journal, journal.known([name, ...was]));
    } finally {
      this.#active -= 1;
      this.#lookWhetherAllWait();
    }
  }

  #useName(name: string): void {
    validateNow(stepNameSchema, name, 'Name of a step');
    const subject = `Step '${name}'`;
    if (this.#names.has(name))
      throw new ValidationError(subject, [
        { path: 'name', message: 'expected a name that no other step of the run has' },
      ]);
    if (this.#names.size >= MAX_STEPS)
      throw new ValidationError(subject, [
        {
          path: 'name',
          message: `expected at most ${MAX_STEPS} steps: use iterate, or go on with continueAs`,
        },
      ]);
    this.#names.add(name);
  }

  async #load(): Promise<StepJournal> {
    this.#loading ??= this.#read();
    return this.#loading;
  }

  async #read(): Promise<StepJournal> {
    const { job, store } = this.host;
    const loaded = job.steps === undefined ? { log: {}, paged: [], now: new Date() } : await store.load(job);
    this.#journal = new StepJournal(this.host, loaded);
    return this.#journal;
  }

  /** @throws Undoing if the job has failed, so that only what is stored counts */
  #requireForward(journal: StepJournal): void {
    if (journal.known([FAILURE])) throw new Undoing();
  }

  /** Calls a step inside its middleware. Once the step is stored, no middleware can make it fail. */
  async #around(call: StepCall, work: () => Promise<unknown>): Promise<unknown> {
    let isStored = false;
    let result: unknown;
    try {
      return await this.host.around(call, async () => {
        result = await work();
        isStored = true;
        return result;
      });
    } catch (error) {
      if (!isStored) throw error;
      this.host.log(`A middleware failed after step '${call.step}' was stored: ${toFailure(error).message}`);
      return result;
    }
  }

  /** Notes the end of a wait, which is stored along with the next write. */
  #waited(journal: StepJournal, write: StepWrite & { readonly state: EndedStep['state'] }): void {
    journal.later(write);
    this.#tellEnded(write, 0);
  }

  #tellEnded(
    { name: step, kind, state, agoMs }: Pick<StepWrite, 'name' | 'kind' | 'agoMs'> & Pick<EndedStep, 'state'>,
    tries: number,
  ): void {
    this.host.onEnded({ step, kind, state, tries, durationMs: Math.round(agoMs) });
  }

  /** Returns when a step may begin that takes this long. Never if the attempt has to end before. */
  async #begin(expectedMs: number): Promise<void> {
    if (!(await this.#mayBegin(expectedMs))) await this.#stopHere();
  }

  /** Returns whether a step may begin that takes this long. If not, the time is over when this returns. */
  async #mayBegin(expectedMs: number): Promise<boolean> {
    this.#throwIfAborted();
    if (!this.#mustEnd && expectedMs < this.host.timeLeft()) return true;
    await this.host.outOfTime();
    this.#throwIfAborted();
    return false;
  }

  /** Ends the attempt once no step is under way. The step that calls this is not any more. */
  #stopHere(): Promise<never> {
    this.#isOutOfTime = true;
    return this.#neverAgain();
  }

  /** Whether the attempt must end, and is to go on later. */
  get #mustEnd(): boolean {
    const { signal } = this.host;
    return signal.aborted && isKind(signal.reason, AttemptAbortedError) && goesOn.has(signal.reason.why);
  }

  #throwIfAborted(): void {
    if (this.host.signal.aborted && !this.#mustEnd) throw this.host.signal.reason;
  }

  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.host.signal }).catch(() => {});
    await this.#begin(0);
  }

  /** Lets the step wait. Never resolves: a later attempt comes back to it. */
  #wait(write: WaitWrite): Promise<never> {
    this.#waits.set(write.name, write);
    return this.#neverAgain();
  }

  /** The step that calls this is not under way any more. */
  #neverAgain(): Promise<never> {
    this.#active -= 1;
    this.#lookWhetherAllWait();
    return never();
  }

  /** Ends the attempt if all that is left are waits. Code of the job that goes on may begin another step before. */
  #lookWhetherAllWait(): void {
    const mayPark = () =>
      this.#active === 0 && !this.#isParked && (this.#isOutOfTime || this.#waits.size > 0);
    if (mayPark()) setImmediate(() => mayPark() && this.#park());
  }

  #park(): void {
    this.#isParked = true;
    this.host.park(this.#waits.size === 0 ? undefined : this.#suspended());
  }

  #suspended(): Outcome {
    const waits = [...this.#waits.values()];
    const [first] = waits;
    // Giving the job back would let the waits begin anew in the next attempt.
    if (this.#isOutOfTime && first) waits.push({ name: first.name, kind: 'retry', agoMs: 0, until: 0 });
    return { kind: 'suspended', writes: this.#writes(this.#withSuspension), waits };
  }

  #writes(steps: readonly StepWrite[]): StepWrites {
    const writes = this.#journal?.writesWith() ?? { steps: [], version: this.host.factory.version };
    return { ...writes, steps: [...writes.steps, ...steps] };
  }

  #isOver(): boolean {
    return this.host.hasEnded && !this.#isParked;
  }

  #tooLate(subject: string): ConflictError {
    return new ConflictError(
      this.host.job.id,
      `${subject} is too late: the attempt of job '${this.host.job.id}' has ended.`,
    );
  }

  #contextOf(name: string, { run }: StepJournal, attempt: number): StepContext {
    const { job, signal } = this.host;
    const of = JSON.stringify([job.id, run, name]);
    const idempotencyKey = createHash('sha256').update(of).digest('base64url');
    return { idempotencyKey, attempt, signal };
  }
}

const functionSchema = z.custom<StepFunction<unknown>>(
  (value) => typeof value === 'function',
  'expected a function',
);

const transactionSchema = z.custom<TransactionFunction<unknown>>(
  (value) => typeof value === 'function',
  'expected a function',
);

/** Returns the arguments of `run` or `transaction` after the name: options if there are any, and a function. */
function callOf<Work>(name: string, args: readonly unknown[], schema: z.ZodType<Work>) {
  const [options, work] = args.length < 2 ? [{}, args[0]] : args;
  return {
    options: validateNow(stepOptionsSchema, options, `Options of step '${name}'`),
    work: validateNow(schema, work, `Function of step '${name}'`),
  };
}

/** Reasons to end an attempt whose job goes on in another. */
const goesOn: ReadonlySet<string> = new Set(['stopping', 'timed out']);

/** The steps are being undone, so the job's function ends here. */
export class Undoing extends Error {
  override readonly message = 'The job has failed, and its steps are being undone.';
}

/** What a step returned cannot be stored. Another try would return it again. */
class Unstorable extends Error {}

function never(): Promise<never> {
  return new Promise(() => {});
}

function untilOf(until: Date | number | undefined): { readonly until?: Date | number } {
  return until === undefined ? {} : { until };
}

/** Returns the delay that an error asks for. */
function askedDelay(error: unknown): number | undefined {
  if (!isKind(error, RetryAfter)) return undefined;
  const { data } = durationSchema.safeParse(error.delay);
  return data;
}

/** Returns the stored failure as an error that ends the job. */
function asError({ message, stack }: Failure): Error {
  const error = new RemoteException(message);
  if (stack !== undefined) error.stack = stack;
  return error;
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
