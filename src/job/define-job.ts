import { inspect } from 'node:util';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import ms from 'ms';
import * as z from 'zod';
import { type AddRole, addRoleSchema, DEFAULT_ADD_ROLE } from '../access/role.js';
import { hasAddress } from '../dot-segment.js';
import { type Duration, durationSchema, timerDurationSchema } from '../duration.js';
import { type Issue, ValidationError } from '../errors.js';
import { fieldOf } from '../mongo/driver-error.js';
import { validateNow } from '../validate.js';
import {
  type BatchContext,
  type BatchOptions,
  type BatchOutputs,
  type BatchRules,
  batchSchema,
  type RunBatch,
} from './batch.js';
import { breakerSchema, type CircuitBreaker } from './breaker-rules.js';
import { callBatch } from './call-batch.js';
import { withoutQueue } from './direct-steps.js';
import {
  type ConcurrencyLimit,
  type Fairness,
  flowRules,
  flowShape,
  type Ordering,
  type RateLimit,
} from './flow-rules.js';
import type { JobContext, JobProcessor } from './job-context.js';
import type { JobContract } from './job-contract.js';
import { jobDefaultsSchema, type Retention } from './job-options.js';
import { toLoggedText } from './log-line.js';
import { type ProgressArguments, toProgressValue } from './progress.js';
import { issuesOfShown, redactSchema } from './redacted-paths.js';
import {
  DEFAULT_RETRY_DELAY_MS,
  parseRetryDelay,
  type RetryDelay,
  type RetryDelayFunction,
} from './retry-delay.js';
import { parseBy, schemaProblem } from './schema.js';
import { searchableSchema } from './search-keys.js';
import { hidingIn } from './secrets.js';
import {
  type DebounceTimes,
  type KeyRule,
  type UniqueBehaviour,
  uniqueRules,
  uniqueShape,
} from './unique-rules.js';

interface JobDefinitionBase<Input extends StandardSchemaV1, Output extends StandardSchemaV1> {
  /** Name of 1 to 100 letters, digits, `_`, `-`, `.`, `:` or `/`. */
  readonly name: string;
  /**
   * Schema of the input: zod 4, valibot, ArkType, or another that implements Standard Schema. Without it, the job takes
   * no input.
   */
  readonly input?: Input;
  /** Schema of the output. Without it, the job may return anything that can be stored. */
  readonly output?: Output;
  /**
   * The least role that may add, schedule or retry such jobs by the HTTP API, the dashboard or the command line. Use
   * `'admin'` for a job that does what only an admin may do. Code is always allowed. Default `'write'`.
   */
  readonly addRole?: AddRole;
  /**
   * How long an attempt may take before its signal fires. Default: 15 minutes, Lambda's limit. An attempt that goes on
   * is settled as failed, to be retried, and its late outcome is ignored. Returning late is a failure too, even if the
   * attempt blocked the thread so that the signal could not fire. In a subprocess, the time starts once a thread is
   * free.
   */
  readonly timeout?: Duration;
  /**
   * How long an attempt usually takes. A worker starts no attempt that does not fit into its remaining time. Default:
   * learned from recent attempts.
   */
  readonly expectedDuration?: Duration;
  /**
   * Version of the definition, from 1. Raise it when the input's schema, the defaults or `addRole` change. A process
   * with a lower version then leaves the stored definition unchanged. Default 1.
   */
  readonly version?: number;
  /** Default queue of its jobs. */
  readonly queue?: string;
  /** Default priority of its jobs: 0 to 9, higher first. */
  readonly priority?: number;
  /** Default number of attempts of its jobs, including the first. */
  readonly maxRetries?: number;
  /** Default delay between a failed attempt and the next. A function is called after each failed attempt. */
  readonly retryDelay?: RetryDelay | RetryDelayFunction;
  /**
   * How long settled jobs are kept. Default: 7 days, and 30 days after an error. With `'forever'`, jobs are kept until
   * somebody removes them. With 0, jobs are not kept, so nobody sees how they ended. A completing job is then deleted by
   * the write that would settle it.
   */
  readonly retention?: Retention;
  /**
   * How many of its jobs run at a time, for all together or for each key by itself. At most four limits. The rest wait
   * without costing anything. See docs/flow-control.md.
   *
   * @example
   * concurrency: [{ limit: 20 }, { key: 'customer.id', limit: 3 }]
   */
  readonly concurrency?:
    | ConcurrencyLimit<StandardSchemaV1.InferOutput<Input>>
    | readonly ConcurrencyLimit<StandardSchemaV1.InferOutput<Input>>[];
  /**
   * How many of its jobs start in a period, for all together or for each key by itself. See docs/flow-control.md.
   *
   * @example
   * rateLimit: { key: 'account', limit: 5, period: '1s' }
   */
  readonly rateLimit?: RateLimit<StandardSchemaV1.InferOutput<Input>>;
  /**
   * Makes a key of each input. At most one job has the same key. Tells what adding does when the key is taken. The options
   * of an add take precedence. Jobs of scheduler items have no key. See docs/unique-jobs.md.
   *
   * @example
   * unique: { by: ['customer.id'], mode: 'replace' }
   */
  readonly unique?: KeyRule<StandardSchemaV1.InferOutput<Input>> & UniqueBehaviour;
  /**
   * Each add puts off the waiting job with the same key and gives it the new input. Cannot be combined with `unique`. A
   * `runAt` or `delay` of an add takes precedence over this delay. See docs/unique-jobs.md.
   *
   * @example
   * debounce: { by: ['shop'], delay: '30s', maxWait: '5m' }
   */
  readonly debounce?: KeyRule<StandardSchemaV1.InferOutput<Input>> & DebounceTimes;
  /**
   * Takes turns between keys, so that a key with many jobs does not hold up the others. See docs/flow-control.md.
   *
   * @example
   * fairness: { key: 'tenant' }
   */
  readonly fairness?: Fairness<StandardSchemaV1.InferOutput<Input>>;
  /**
   * Runs the jobs of each key one at a time, in the order in which they were added, through all retries. Such a job has
   * no priority, and cannot be delayed or scheduled. See docs/flow-control.md.
   *
   * @example
   * ordering: { key: 'order.id', onFailure: 'stop' }
   */
  readonly ordering?: Ordering<StandardSchemaV1.InferOutput<Input>>;
  /**
   * Lets no job of this kind start for a time after many attempts have failed, because the service that they need is
   * down. See docs/flow-control.md.
   *
   * @example
   * circuitBreaker: { failures: 20, within: '1m', pause: '30s' }
   */
  readonly circuitBreaker?: CircuitBreaker;
  /**
   * Paths into the input, such as `'orderId'`, at most five. Jobs can be found by the values at these paths. A search is
   * quick, however many jobs there are. See docs/jobs.md.
   *
   * @example
   * searchable: ['orderId', 'customer.id']
   */
  readonly searchable?: readonly string[];
  /**
   * Paths into the input whose values only code and callers with the role `admin` see. `*` stands for every key. The job's
   * function gets the values. See docs/inputs.md.
   *
   * @example
   * redact: ['card.number', 'tokens.*']
   */
  readonly redact?: readonly string[];
}

/** A job whose function runs in the worker's own thread, for work that mostly waits. */
export interface InProcessJobDefinition<Input extends StandardSchemaV1, Output extends StandardSchemaV1>
  extends JobDefinitionBase<Input, Output> {
  run(
    context: JobContext<StandardSchemaV1.InferOutput<Input>>,
  ): Promise<StandardSchemaV1.InferInput<Output>> | StandardSchemaV1.InferInput<Output>;
  /**
   * Functions of earlier versions, by version. A job that has stored a step goes on with the version with which it began.
   * If that version is not here, it goes on with `run`. Keep a function until none of its jobs is left.
   *
   * @example
   * version: 2, run: runNow, versions: { 1: runBefore }
   */
  readonly versions?: Readonly<
    Record<number, (context: JobContext<StandardSchemaV1.InferOutput<Input>>) => unknown>
  >;
}

/** A job whose function runs in a pool of threads, for work that keeps a CPU busy. */
export interface SubprocessJobDefinition<Input extends StandardSchemaV1, Output extends StandardSchemaV1>
  extends JobDefinitionBase<Input, Output> {
  /**
   * The module that does the work, as `new URL('./name.subprocess.js', import.meta.url)`. Its default export takes a
   * `SubprocessContext` and returns the output. The module is a build entry of its own.
   */
  readonly module: URL;
}

/** A job whose function takes several jobs at once, in the worker's own thread. */
export interface BatchedJobDefinition<Input extends StandardSchemaV1, Output extends StandardSchemaV1>
  extends JobDefinitionBase<Input, Output> {
  /** How many jobs share a call. A batch takes one thread. See docs/batches.md. */
  readonly batch: BatchOptions;
  /**
   * Does the work of all jobs of a batch. Returning completes all that have not ended by themselves, with a list of
   * their outputs or without outputs. Throwing fails them, each by its own retry rules.
   */
  runBatch(
    context: BatchContext<StandardSchemaV1.InferOutput<Input>, StandardSchemaV1.InferInput<Output>>,
  ):
    | Promise<BatchOutputs<StandardSchemaV1.InferInput<Output>>>
    | BatchOutputs<StandardSchemaV1.InferInput<Output>>;
}

/** A contract, which is a job without its code. */
export interface JobContractDefinition<Input extends StandardSchemaV1, Output extends StandardSchemaV1>
  extends JobDefinitionBase<Input, Output> {
  readonly run?: undefined;
  readonly versions?: undefined;
  readonly module?: undefined;
  readonly runBatch?: undefined;
}

/**
 * The code of a contract's job: `run` in the worker's own thread, the `module` of a subprocess, or `runBatch` for several
 * jobs at once.
 */
export type JobImplementation<Parsed, Returned> =
  | {
      run(context: JobContext<Parsed>): Promise<Returned> | Returned;
      readonly versions?: Readonly<Record<number, (context: JobContext<Parsed>) => unknown>>;
      readonly module?: undefined;
      readonly runBatch?: undefined;
    }
  | { readonly module: URL; readonly run?: undefined; readonly runBatch?: undefined }
  | {
      readonly batch: BatchOptions;
      runBatch(
        context: BatchContext<Parsed, Returned>,
      ): Promise<BatchOutputs<Returned>> | BatchOutputs<Returned>;
      readonly run?: undefined;
      readonly module?: undefined;
    };

/** Measures the time of an attempt. */
export interface AttemptClock {
  /** Called when the job function has to wait for a thread. The time so far no longer counts. */
  reset(): void;
  /** Called when a thread is free. Time counts from this moment. */
  start(): void;
}

/** A kind of job with the code that does the work. Made by `defineJob`, or from a contract by `implement`. */
export interface JobFactory<Input = unknown, Output = unknown> extends JobContract<Input, Output> {
  /**
   * Runs the job here and now, without a queue. Input and output are validated as in a worker.
   *
   * @throws ValidationError for an invalid input or output, and errors of the job
   */
  call(input: Input, processor: JobProcessor): Promise<Output>;
  /** Runs the job function with a parsed input. Resets the clock while the function waits for a thread. */
  run(context: JobContext, clock?: AttemptClock): Promise<unknown>;
  /** Functions of earlier versions, by version. Each runs the jobs that began with its version. */
  readonly versions?: Readonly<Record<number, JobFactory['run']>>;
  /** How its jobs are batched. Absent if each has a call of its own. */
  readonly batch?: BatchRules;
  /** Runs the function of a batched kind for several jobs. Returns a promise per job, of its output or its error. */
  readonly runBatch?: (contexts: readonly JobContext[]) => readonly Promise<unknown>[];
  /** Returns the output in the form to be stored. @throws ValidationError */
  parseOutput(output: unknown): Promise<unknown>;
}

/**
 * Makes a job factory, to be registered with `processor.addJobFactory`. Without `run` and `module` it makes a contract,
 * which producers import without the code of the work. See `implement`.
 *
 * @example
 * const greet = defineJob({
 *   name: 'greet',
 *   input: z.object({ name: z.string() }),
 *   run: async ({ input }) => `Hello, ${input.name}`,
 * });
 * @throws ValidationError for an invalid definition
 */
export function defineJob<
  Input extends StandardSchemaV1 = StandardSchemaV1<undefined>,
  Output extends StandardSchemaV1 = StandardSchemaV1,
>(
  definition: JobContractDefinition<Input, Output>,
): JobContract<
  StandardSchemaV1.InferInput<Input>,
  StandardSchemaV1.InferOutput<Output>,
  StandardSchemaV1.InferOutput<Input>,
  StandardSchemaV1.InferInput<Output>
>;
export function defineJob<
  Input extends StandardSchemaV1 = StandardSchemaV1<undefined>,
  Output extends StandardSchemaV1 = StandardSchemaV1,
>(
  definition:
    | InProcessJobDefinition<Input, Output>
    | SubprocessJobDefinition<Input, Output>
    | BatchedJobDefinition<Input, Output>,
): JobFactory<StandardSchemaV1.InferInput<Input>, StandardSchemaV1.InferOutput<Output>>;
export function defineJob(definition: object): JobContract | JobFactory {
  const { implementation, ...contract } = resolveDefinition(definition);
  return implementation ? toFactory(contract, implementation) : toContract(contract);
}

/**
 * Makes a job from a contract and its code, for the process that runs it. Producers have only the contract.
 *
 * @param implementation `run`, the `module` of a subprocess, or `runBatch`, as in `defineJob`
 * @throws ValidationError for an invalid contract or implementation
 * @example
 * export const greet = implement(greetContract, { run: async ({ input }) => `Hello, ${input.name}` });
 */
export function implement<Input, Output, Parsed, Returned>(
  contract: JobContract<Input, Output, Parsed, Returned>,
  implementation: JobImplementation<Parsed, Returned>,
): JobFactory<Input, Output>;
export function implement(contract: JobContract, implementation: object): JobFactory {
  const subject = 'The call of implement';
  validateNow(z.custom(isJobContract, 'expected a contract, made by defineJob'), contract, subject);
  const code = validateNow(implementationSchema, implementation, subject);
  const runner = runnerOf(subject, code);
  if (!runner) throw new ValidationError(subject, [oneOfThem]);
  return toFactory(contract, runner);
}

type Runner = Pick<JobFactory, 'run' | 'versions' | 'batch' | 'runBatch'>;

function toContract(contract: ContractFields): JobContract {
  const refuseCall = async () => {
    throw new ValidationError(`The call of job '${contract.name}'`, [{ path: '', message: NO_CODE }]);
  };
  return Object.assign(
    { ...contract, parseInput: inputParser(contract), call: refuseCall },
    { [JOB_CONTRACT]: true },
  );
}

/** Error message when a contract is given in place of a job. */
export const NO_CODE =
  'this is a contract, which has no code to run: implement(contract, { run }) makes the job of it';

function toFactory(contract: ContractFields, runner: Runner): JobFactory {
  const { name, defaults, limits, addRole, version, input, output, retryDelay, flow, keys, breaker } =
    contract;
  const { searchable, redact } = contract;
  const factory: JobFactory = {
    name,
    defaults,
    limits,
    addRole,
    version,
    input,
    output,
    ...(retryDelay && { retryDelay }),
    ...(flow && { flow }),
    ...(keys && { keys }),
    ...(breaker && { breaker }),
    ...(searchable && { searchable }),
    ...(redact && { redact }),
    ...runner,
    parseInput: inputParser(contract),
    parseOutput: (returned) => parseBy(output, returned, `Output of job '${name}'`),
    async call(given, processor) {
      const context = { ...directContext, input: await factory.parseInput(given), processor };
      return factory.parseOutput(await factory.run(context));
    },
  };
  return Object.assign(factory, { [JOB_FACTORY]: true });
}

type ContractFields = Omit<JobContract, 'parseInput'>;

function inputParser({ name, input, redact }: ContractFields): JobContract['parseInput'] {
  const parse = (given: unknown) => parseBy(input, given, `Input of job '${name}'`);
  return redact ? (given) => hidingIn(redact, given, () => parse(given)) : parse;
}

/** Marks a factory made by `defineJob` in any copy of this package. */
const JOB_FACTORY = Symbol.for('remote-processor.jobFactory');

/** Marks a contract made by `defineJob` in any copy of this package. */
const JOB_CONTRACT = Symbol.for('remote-processor.jobContract');

const contractSchema = z.object({
  name: z.string(),
  defaults: z.object({ maxRetries: z.number() }),
  limits: z.object({ timeoutMs: z.number() }),
  addRole: addRoleSchema,
  version: z.int(),
  parseInput: z.function(),
});

const factorySchema = contractSchema.extend({
  run: z.function(),
  parseOutput: z.function(),
});

/** Returns whether `defineJob` made this value, in any copy of this package. Never throws. */
export function isJobFactory(value: unknown): value is JobFactory {
  return isMade(value, JOB_FACTORY, factorySchema, knownFactories);
}

/** Returns whether `defineJob` made this contract, in any copy of this package. Never throws. */
export function isJobContract(value: unknown): value is JobContract {
  return isMade(value, JOB_CONTRACT, contractSchema, knownContracts);
}

/** Factories and contracts already checked, so that adding a job does not check its definition again. */
const knownFactories = new WeakSet<object>();
const knownContracts = new WeakSet<object>();

function isMade(value: unknown, mark: symbol, schema: z.ZodType, known: WeakSet<object>): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (known.has(value)) return true;
  try {
    const isOne = fieldOf(value, mark) === true && schema.safeParse(value).success;
    if (isOne) known.add(value);
    return isOne;
  } catch {
    return false; // A proxy or getter that throws.
  }
}

/** Valid names of jobs. */
export const jobNameSchema = z
  .string()
  .regex(/^[\w.:/-]{1,100}$/, 'expected 1 to 100 letters, digits, or any of _ - . : /')
  .refine((name) => name !== '__proto__', 'this name cannot be used')
  .refine(...hasAddress);

/** Lambda's own time limit. */
const DEFAULT_TIMEOUT_MS = ms('15m');

const isSchema = z.custom<StandardSchemaV1>((value) => schemaProblem(value) === undefined, {
  error: ({ input }) => schemaProblem(input),
});

const runSchema = z.custom<RunFunction>((value) => typeof value === 'function', 'expected a function');

const implementationSchema = z.strictObject({
  run: runSchema.optional(),
  module: z
    .instanceof(URL, { error: "expected new URL('./name.subprocess.js', import.meta.url)" })
    .optional(),
  batch: batchSchema.optional(),
  runBatch: z.custom<RunBatch>((value) => typeof value === 'function', 'expected a function').optional(),
  versions: z.record(z.coerce.number<string>().int().min(1), runSchema).optional(),
});

type RunFunction = (context: JobContext) => unknown;

type Implementation = z.output<typeof implementationSchema>;

const definitionSchema = z.strictObject({
  name: jobNameSchema,
  input: isSchema.optional(),
  output: isSchema.optional(),
  ...implementationSchema.shape,
  addRole: addRoleSchema.default(DEFAULT_ADD_ROLE),
  version: z.int().min(1).default(1),
  timeout: timerDurationSchema
    .refine((timeout) => timeout > 0, 'expected more than 0')
    .default(DEFAULT_TIMEOUT_MS),
  expectedDuration: durationSchema.optional(),
  ...jobDefaultsSchema.shape,
  ...flowShape,
  ...uniqueShape,
  circuitBreaker: breakerSchema.optional(),
  searchable: searchableSchema,
  redact: redactSchema,
  retryDelay: z
    .unknown()
    .transform((value, context) => (isRetryDelayFunction(value) ? value : parseRetryDelay(value, context)))
    .default(DEFAULT_RETRY_DELAY_MS),
});

/** Checks a definition, which may come from plain JavaScript, and fills in the defaults. */
function resolveDefinition(definition: unknown) {
  const subject = subjectOf(definition);
  const parsed = validateNow(definitionSchema, definition, subject);
  const { name, input, output, run, versions, module, runBatch, batch, addRole, version, ...rest } = parsed;
  const { retryDelay, timeout, expectedDuration, circuitBreaker, searchable, redact, ...others } = rest;
  const { concurrency, rateLimit, fairness, ordering, unique, debounce, retention, ...defaults } = others;
  const flow = flowRules(subject, name, { concurrency, rateLimit, fairness, ordering });
  if (ordering && defaults.priority) throw new ValidationError(subject, [notInOrder('priority')]);
  if (ordering && debounce) throw new ValidationError(subject, [notInOrder('debounce')]);
  const keys = uniqueRules(subject, { unique, debounce });
  if (redact)
    refuseRedacted(subject, redact, {
      searchable,
      concurrency,
      rateLimit,
      fairness,
      ordering,
      unique,
      debounce,
    });
  return {
    ...(flow && { flow }),
    ...(keys && { keys }),
    ...(circuitBreaker && { breaker: circuitBreaker }),
    ...(searchable && { searchable }),
    ...(redact && { redact }),
    name,
    implementation: runnerOf(subject, { run, versions, module, batch, runBatch }),
    input: input ?? z.undefined({ error: 'expected no input: the job was defined without an input schema' }),
    output: output ?? z.unknown(),
    addRole,
    version,
    limits: { timeoutMs: timeout, ...(expectedDuration !== undefined && { expectedMs: expectedDuration }) },
    ...(isRetryDelayFunction(retryDelay) && { retryDelay }),
    defaults: {
      ...defaults,
      retryDelay: isRetryDelayFunction(retryDelay) ? null : retryDelay,
      ...(retention && { retention }),
    },
  };
}

/** Refuses redacted paths in options whose values are shown, or can be searched for. @throws ValidationError */
function refuseRedacted(
  subject: string,
  redact: readonly string[],
  options: Partial<Pick<z.output<typeof definitionSchema>, OptionWithPaths>>,
): void {
  const shown = Object.entries(options).flatMap(([name, option]) => pathsIn(option, name));
  const issues = issuesOfShown(shown, redact);
  if (issues.length > 0) throw new ValidationError(subject, issues);
}

type OptionWithPaths =
  | 'searchable'
  | 'concurrency'
  | 'rateLimit'
  | 'fairness'
  | 'ordering'
  | 'unique'
  | 'debounce';

/** Finds the paths into the input that an option contains: lists of paths, the member `by`, and the `key` of limits. */
function pathsIn(option: unknown, at: string): { readonly path: string; readonly at: string }[] {
  if (typeof option === 'string') return [{ path: option, at }];
  if (Array.isArray(option)) return option.flatMap((each, index) => pathsIn(each, `${at}.${index}`));
  const { key, by, weight } = Object(option);
  const isKeyItself = at === 'unique' || at === 'debounce';
  return [
    ...pathsIn(by ?? [], `${at}.by`),
    ...(typeof key === 'string' && !isKeyItself ? [{ path: key, at: `${at}.key` }] : []),
    ...(typeof weight === 'string' ? [{ path: weight, at: `${at}.weight` }] : []),
  ];
}

function notInOrder(path: string): Issue {
  return { path, message: 'expected none: jobs with `ordering` run in the order in which they were added' };
}

const namedSchema = z.object({ name: z.string() });

/** Returns the subject of an error, with the job's name, because a module may define many jobs. */
function subjectOf(definition: unknown): string {
  const { data: named } = namedSchema.safeParse(definition);
  return named ? `Definition of the job ${inspect(named.name)}` : 'Definition of a job';
}

function isRetryDelayFunction(value: unknown): value is RetryDelayFunction {
  return typeof value === 'function';
}

/**
 * Returns the functions that run the job, or undefined for a contract.
 *
 * @throws ValidationError for more than one kind of code, and for code that does not go with `batch`
 */
function runnerOf(
  subject: string,
  { run, versions, module, batch, runBatch }: Implementation,
): Runner | undefined {
  const given = [run, module, runBatch].filter((code) => code !== undefined);
  if (given.length > 1) throw new ValidationError(subject, [oneOfThem]);
  if (runBatch && !batch) throw new ValidationError(subject, [needsBatch]);
  if (batch && !runBatch) throw new ValidationError(subject, [needsRunBatch]);
  if (batch && runBatch) return batchRunner(batch, runBatch);
  if (versions && !run) throw new ValidationError(subject, [needsRun]);
  if (run) return { run: asRun(run), ...(versions && { versions: asRuns(versions) }) };
  return module && { run: moduleRunner(module) };
}

function asRun(run: RunFunction): JobFactory['run'] {
  return async (context) => run(context);
}

function asRuns(versions: Readonly<Record<number, RunFunction>>): NonNullable<JobFactory['versions']> {
  return Object.fromEntries(Object.entries(versions).map(([version, run]) => [version, asRun(run)]));
}

const needsRun = { path: 'versions', message: 'expected none without run' };
const oneOfThem = { path: 'run', message: 'expected run, module or runBatch, and only one of them' };
const needsBatch = { path: 'batch', message: 'expected { size } beside runBatch' };
const needsRunBatch = { path: 'runBatch', message: 'expected a function beside batch' };

/** A job that runs alone is a batch of one. */
function batchRunner(batch: BatchRules, run: RunBatch): Runner {
  const runBatch = (contexts: readonly JobContext[]) => callBatch(run, contexts);
  return { run: async (context) => runBatch([context])[0], batch, runBatch };
}

function moduleRunner(module: URL): JobFactory['run'] {
  return async (context, clock) => {
    clock?.reset();
    const { runInSubprocess } = await import('../subprocess/run-in-subprocess.js');
    return runInSubprocess(module, context, () => clock?.start());
  };
}

/** Context of a job called directly. Nothing cancels the job, it has no lease, and its reports are discarded. */
const directContext = {
  ...withoutQueue,
  signal: new AbortController().signal,
  jobId: 'call',
  attempt: 1,
  token: 'call',
  progress: async (...args: ProgressArguments) => void toProgressValue(...args),
  log: (...args: Parameters<JobContext['log']>) => void toLoggedText(...args),
};
