import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { ClientSession } from 'mongodb';
import type { Duration } from '../duration.js';
import type { FanOutOptions, InvokeOptions, MemberResults } from './children.js';
import type { InputArguments, JobContract } from './job-contract.js';
import type { NamedBefore } from './named-before.js';
import type { RetryDelay } from './retry-delay.js';
import type { StepContext } from './step-context.js';

/**
 * The steps of a job, by name. A step that has ended is stored with the job, and never runs again: not in a later attempt,
 * not in another process, not with newer code. See docs/steps.md.
 *
 * Names have 1 to 200 characters, and each is used once in a run. Steps may run at the same time (`Promise.all`). Code
 * between the steps runs again in each attempt, so it should only choose and compute.
 *
 * While a job is suspended, its function is not running. The promise that it awaits never settles in this attempt, and
 * `finally` blocks do not run. A later attempt calls the function anew.
 *
 * In a job that was called without a queue, steps wait for 2 seconds at most, and store nothing.
 */
export interface Steps {
  /**
   * Runs a step and returns its result, which is stored by the time the promise resolves. If the process ends before, the
   * step runs again with the same `idempotencyKey`.
   *
   * An error goes to the job. If the job does not catch it, the attempt fails. With `retry`, the step is tried again first,
   * which uses up no attempt of the job.
   *
   * @throws StepFailedError once all tries have failed, in this attempt and in each later one. If the job does not catch
   *   the error, the job ends in `error`
   * @throws StepFailedError for a result that cannot be stored, that is larger than 1 MB, or that `output` refuses
   * @throws StepInterruptedError if the step has `atMostOnce` and was cut off
   * @throws ValidationError for an invalid name, or one that was used before
   * @example
   * const charge = await step.run('charge', { retry: { attempts: 5, delay: '2s' } },
   *   ({ idempotencyKey }) => payments.charge(input, idempotencyKey));
   */
  run<Value>(name: string, work: StepFunction<Value>): Promise<Value>;
  run<Output extends StandardSchemaV1>(
    name: string,
    options: StepOptions<StandardSchemaV1.InferOutput<Output>> & { readonly output: Output },
    work: StepFunction<StandardSchemaV1.InferInput<Output>>,
  ): Promise<StandardSchemaV1.InferOutput<Output>>;
  run<Value>(
    name: string,
    options: StepOptions<Value> & { readonly output?: undefined },
    work: StepFunction<Value>,
  ): Promise<Value>;
  /**
   * Runs a step in a transaction of MongoDB. Its writes with this session are stored together with its end, or not at all.
   * So they are stored exactly once, even if the process ends in between. If another worker has taken the job, nothing is
   * stored.
   *
   * `work` is called again after a conflict with another transaction. It should take less than the worker's lease (30 s by
   * default), because the lease is not renewed meanwhile. MongoDB ends a transaction after 60 s.
   *
   * @throws as `run` does
   * @example
   * await step.transaction('reserve', (session) => takeFromStock(input.item, { session }));
   */
  transaction<Value>(name: string, work: TransactionFunction<Value>): Promise<Value>;
  transaction<Output extends StandardSchemaV1>(
    name: string,
    options: StepOptions<StandardSchemaV1.InferOutput<Output>> & { readonly output: Output },
    work: TransactionFunction<StandardSchemaV1.InferInput<Output>>,
  ): Promise<StandardSchemaV1.InferOutput<Output>>;
  transaction<Value>(
    name: string,
    options: StepOptions<Value> & { readonly output?: undefined },
    work: TransactionFunction<Value>,
  ): Promise<Value>;
  /**
   * Calls `work` with a cursor until it is done, for work of any length. `work` returns `{ next: cursor }` or `{ done:
   * value }`. The cursor is stored at most once a second and at the end of the attempt, together with other writes. After a
   * crash, the calls since the last stored cursor are repeated.
   *
   * The attempt ends between two calls if another call does not fit into its time. It is not used up, and the job goes on
   * in the next attempt.
   *
   * @throws as `run` does, and StepFailedError for a cursor larger than 64 KB
   * @example
   * const rows = await step.iterate('rows', { start: 0 }, async (offset) => {
   *   const page = await read(offset, 1000);
   *   await write(page);
   *   return page.length < 1000 ? { done: offset + page.length } : { next: offset + page.length };
   * });
   */
  iterate<Cursor, Value>(
    name: string,
    options: IterateOptions<Cursor>,
    work: (cursor: Cursor, step: StepContext) => Promise<Iterated<Cursor, Value>> | Iterated<Cursor, Value>,
  ): Promise<Value>;
  /** Waits. Longer than 2 seconds, the job is suspended meanwhile: it takes no thread, no lease and no attempt. */
  sleep(name: string, duration: Duration, options?: NamedBefore): Promise<void>;
  /** Waits until a moment, as `sleep` does. */
  sleepUntil(name: string, moment: Date, options?: NamedBefore): Promise<void>;
  /**
   * Waits for a signal that `processor.signal` sends to this job. The job is suspended meanwhile. A signal that came early
   * is kept for it. Signals of the same name are taken in the order in which they came, each once.
   *
   * @returns the payload, or undefined after `timeout`
   * @example
   * const order = await step.waitForSignal('paid', { schema: Payment, timeout: '3 days' });
   */
  waitForSignal<Schema extends StandardSchemaV1>(
    name: string,
    options: SignalOptions & { readonly schema: Schema },
  ): Promise<StandardSchemaV1.InferOutput<Schema> | undefined>;
  waitForSignal(name: string, options?: SignalOptions & { readonly schema?: undefined }): Promise<unknown>;
  /**
   * Returns a link with which a person or a service outside answers, and a function that waits for the answer. Whoever has
   * the link can answer, once. Opening it shows a page with buttons and answers nothing.
   *
   * @throws ConflictError if the processor has no `callbacks`
   * @example
   * const approval = await step.callback('approval', { schema: Answer, timeout: '3 days' });
   * await step.run('ask', () => mail(approval.url));
   * const answer = await approval.wait();
   */
  callback<Schema extends StandardSchemaV1>(
    name: string,
    options: CallbackOptions & { readonly schema: Schema },
  ): Promise<StepCallback<StandardSchemaV1.InferOutput<Schema>>>;
  callback(
    name: string,
    options?: CallbackOptions & { readonly schema?: undefined },
  ): Promise<StepCallback<CallbackAnswer>>;
  /**
   * Adds a child job, waits until it has ended, and returns its output. The job is suspended meanwhile. The child is a job
   * like any other: it has attempts, limits and a page of its own. It is kept as long as this job, and is cancelled with it.
   *
   * @throws StepFailedError if the child failed for good or was cancelled, or `timeout` is over. If a person retries this job,
   *   the child is queued again
   * @throws ValidationError for an input that its schema refuses. Nothing is added then
   * @example
   * const image = await step.invoke('resize', resize, { url: input.url });
   */
  invoke<Output = unknown>(
    name: string,
    job: string,
    input?: unknown,
    options?: InvokeOptions<Output>,
  ): Promise<Output>;
  invoke<Input, Output>(
    name: string,
    job: JobContract<Input, Output>,
    ...args: [...InputArguments<NoInfer<Input>>, options?: InvokeOptions<NoInfer<Output>>]
  ): Promise<Output>;
  /**
   * Adds a child job for each of up to 100,000 inputs, waits until all have ended, and returns how they ended. The outputs
   * of the children are read when they are asked for.
   *
   * Until the children are added, each call of the job's function must give the same inputs. So compute inputs that may
   * change in a step.
   *
   * @throws StepFailedError if some failed for good or were cancelled, except with `onError: 'collect'`. If a person
   *   retries this job, only these are queued again
   * @throws ValidationError for an input that the schema refuses. Nothing is added then
   * @example
   * const pages = await step.fanOut('render', renderPage, input.pages.map((page) => ({ page })), { concurrency: 20 });
   * for await (const page of pages) if (page.status === 'completed') await add(page.output);
   */
  fanOut<Output = unknown>(
    name: string,
    job: string,
    inputs: readonly unknown[],
    options?: FanOutOptions,
  ): Promise<MemberResults<Output>>;
  fanOut<Input, Output>(
    name: string,
    job: JobContract<Input, Output>,
    inputs: readonly NoInfer<Input>[],
    options?: FanOutOptions,
  ): Promise<MemberResults<Output>>;
  /**
   * Ends this run, and begins the next one with another input and no steps, for jobs that go on for ever. Signals that no
   * step has taken are kept. Attempts are counted anew. Code after the call does not run.
   *
   * @throws ValidationError for an input that the job's schema refuses
   * @example
   * await step.sleep('month', '30 days');
   * return step.continueAs({ month: input.month + 1 });
   */
  continueAs(input: unknown): Promise<never>;
}

export type StepFunction<Value> = (step: StepContext) => Promise<Value> | Value;

export type TransactionFunction<Value> = (
  session: ClientSession,
  step: StepContext,
) => Promise<Value> | Value;

/** Options of a step. */
export interface StepOptions<Value = unknown> extends NamedBefore {
  /**
   * Schema of the result. Parses the stored result at each read, so it may also fill in fields that older code left out.
   */
  readonly output?: StandardSchemaV1 | undefined;
  /** Tries the step again if it fails. Default: none, so that the job's attempt fails. */
  readonly retry?: StepRetry;
  /**
   * Never runs the step twice. A step that was cut off throws StepInterruptedError, for nobody knows what it did. Costs
   * another write. Cannot be combined with `retry`.
   */
  readonly atMostOnce?: boolean;
  /**
   * Undoes the step if the job fails for good later. Called with the step's result, in the reverse order of the steps, as a
   * step of its own. It is tried five times, or as `retry` says.
   */
  readonly compensate?: (value: Value, step: StepContext) => unknown;
  /** How long the step usually takes. It does not begin if the attempt has less time. Default: unknown. */
  readonly expectedDuration?: Duration;
}

/** How a step is tried again. */
export interface StepRetry {
  /** Maximum number of tries, including the first. */
  readonly attempts: number;
  /** Delay between tries. The job is suspended for a delay of more than 2 seconds. Default: exponential, from a second. */
  readonly delay?: RetryDelay;
}

/** Options of an iteration. */
export interface IterateOptions<Cursor> extends NamedBefore {
  /** Cursor of the first call. */
  readonly start: Cursor;
  /** Schema of stored cursors, parsed when an attempt goes on with one. */
  readonly cursor?: StandardSchemaV1<unknown, Cursor>;
}

/** Place at which an iteration goes on, or its result. */
export type Iterated<Cursor, Value> = { readonly next: Cursor } | { readonly done: Value };

/** Options of a wait for a signal. */
export interface SignalOptions extends NamedBefore {
  /** Schema of the payload. A signal that it refuses is dropped with a line in the job's log, and the wait goes on. */
  readonly schema?: StandardSchemaV1 | undefined;
  /** Maximum time to wait. Default: for as long as it takes. */
  readonly timeout?: Duration;
  /** Name of the signal, for a second wait for the same. Default: the step's name. */
  readonly signal?: string;
}

/** Options of a callback. */
export type CallbackOptions = Omit<SignalOptions, 'signal'>;

/** A link to answer, and the wait for the answer. */
export interface StepCallback<Answer> {
  readonly url: string;
  /** Waits for the answer as a step. Returns undefined after `timeout`. */
  wait(): Promise<Answer | undefined>;
}

/** The answer by the page of a callback. A service may send another, as JSON. */
export interface CallbackAnswer {
  readonly approved: boolean;
  readonly comment?: string;
}
