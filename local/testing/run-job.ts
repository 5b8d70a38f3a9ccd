import type { MongoClient } from 'mongodb';
import { z } from 'zod';
import type { InputArguments, JobContext, JobFactory, LogLineFields, StepFunction } from '../../src/index.js';
import { withoutQueue } from '../../src/job/direct-steps.js';
import { toLoggedText } from '../../src/job/log-line.js';
import { type ProgressArguments, toProgressValue } from '../../src/job/progress.js';
import { toInput, toOutput, toProgress } from '../../src/job/storable.js';
import { stepNameSchema } from '../../src/step/step-options.js';
import { validateNow } from '../../src/validate.js';
import { type GivenSignal, MemorySteps, type RunStep } from './memory-steps.js';

/** Values that a job's function gets beside its input. */
export interface RunJobOptions {
  /** Number of the attempt, from 1. Default 1. */
  readonly attempt?: number;
  /** Default: a signal that never fires. */
  readonly signal?: AbortSignal;
  /** Fencing token. Default `'token'`. */
  readonly token?: string;
  /** Default `'job'`. */
  readonly jobId?: string;
  /** Default: none. A job that uses its processor then fails with an error that names this option. */
  readonly processor?: JobContext['processor'];
  /**
   * Signals that were sent to the job, and answers of callbacks under the names of their steps, in the order of sending. If
   * a step waits for a signal that is not in the list, the step times out.
   */
  readonly signals?: readonly GivenSignal[];
  /** Functions that replace the functions of steps, by the names of the steps. */
  readonly steps?: Readonly<Record<string, StepFunction<unknown>>>;
  /** Client with which `step.transaction` runs. Default: none. A transaction then fails unless its step is replaced. */
  readonly client?: MongoClient;
}

/** Options of `runBatch`. */
export type RunBatchOptions = Pick<RunJobOptions, 'attempt' | 'signal' | 'token' | 'processor'>;

/** A line that a job logged. */
export interface LoggedLine {
  readonly message: string;
  readonly fields?: LogLineFields;
}

/** Result of a job and its reports. */
export interface JobRun<Output = unknown> {
  /** The steps that have ended, in their order. */
  readonly steps: readonly RunStep[];
  /** Input with which the job goes on, if it ended with `step.continueAs`. Then `output` is undefined. */
  readonly continuedAs?: unknown;
  /** Output in its stored form. Undefined if the job returned nothing. */
  readonly output: Output;
  /** Each progress that the job reported, in the form in which `getJob(id).progress` shows it. */
  readonly progress: readonly unknown[];
  readonly logs: readonly LoggedLine[];
}

const optionsSchema = z.strictObject({
  attempt: z.int().min(1).default(1),
  signal: z.instanceof(AbortSignal).default(() => new AbortController().signal),
  token: z.string().min(1).default('token'),
  jobId: z.string().min(1).default('job'),
  processor: z.custom<JobContext['processor']>().optional(),
  signals: z.array(z.strictObject({ name: stepNameSchema, payload: z.unknown() })).default([]),
  steps: z
    .record(
      z.string(),
      z.custom<StepFunction<unknown>>((work) => typeof work === 'function', 'expected a function'),
    )
    .default({}),
  client: z.custom<MongoClient>().optional(),
});

/**
 * Runs the function of a job once, without a database. Input, output, progress and log lines are checked as in a worker.
 * Middleware is not called, and the job's timeout does not apply: pass a signal.
 *
 * Steps are kept in memory. Where the job would be suspended, time is skipped. Then the function is called again with the
 * steps that have ended, as in a later attempt. Steps are not undone if the job fails.
 *
 * @throws ValidationError for an invalid option, input, output, progress or log line, and errors of the job
 * @example
 * const { output, progress } = await runJob(greet, { name: 'Ada' }, { attempt: 2 });
 */
export async function runJob<Input, Output>(
  job: JobFactory<Input, Output>,
  ...args: [...InputArguments<Input>, options?: RunJobOptions]
): Promise<JobRun<Output>>;
export async function runJob(job: JobFactory, input?: unknown, options: RunJobOptions = {}): Promise<JobRun> {
  const given = validateNow(optionsSchema, options, 'The call of runJob');
  const told = new Told(job, await job.parseInput(toInput(input, job.name)), given);
  return told.run();
}

/** How a job of `runBatch` ended, and what it reported. */
export interface BatchedJobRun<Output = unknown> extends Pick<JobRun, 'progress' | 'logs'> {
  /** Output in its stored form. Undefined if the job failed or has no output. */
  readonly output: Output | undefined;
  /** The error that the job failed with. Undefined if it completed. */
  readonly error: unknown;
}

/**
 * Runs the function of a batched kind once for several jobs, without a database, as `runJob` does for one. The ids of the
 * jobs are `'job 1'`, `'job 2'` and so on. Returns how each ended, in the order of the inputs.
 *
 * @throws ValidationError for a kind that is not batched, no input, an invalid option or an invalid input
 * @example
 * const [first, second] = await runBatch(load, [{ row: 1 }, { row: 2 }]);
 */
export async function runBatch<Input, Output>(
  job: JobFactory<Input, Output>,
  inputs: readonly Input[],
  options?: RunBatchOptions,
): Promise<BatchedJobRun<Output>[]>;
export async function runBatch(
  job: JobFactory,
  inputs: readonly unknown[],
  options: RunBatchOptions = {},
): Promise<BatchedJobRun[]> {
  const subject = 'The call of runBatch';
  const given = validateNow(batchOptionsSchema, options, subject);
  const { run, size } = validateNow(batchedSchema, { run: job.runBatch, size: job.batch?.size }, subject);
  validateNow(z.array(z.unknown()).min(1).max(size), inputs, `${subject}, its inputs`);
  const parsed = await Promise.all(inputs.map((input) => job.parseInput(toInput(input, job.name))));
  const told = parsed.map(
    (input, n) => new Told(job, input, { ...given, ...noSteps, jobId: `job ${n + 1}` }),
  );
  const ended = await Promise.allSettled(run(told.map(({ context }) => context)));
  return Promise.all(told.map((each, n) => each.batched(ended[n])));
}

const batchOptionsSchema = optionsSchema.omit({ jobId: true, signals: true, steps: true, client: true });

const batchedSchema = z.object({
  run: z.custom<NonNullable<JobFactory['runBatch']>>(
    (run) => typeof run === 'function',
    'expected a batched job',
  ),
  size: z.int(),
});

/** Jobs of a batch have no steps. */
const noSteps = { signals: [], steps: {} };

/** Collects the reports of a job's function: its progress, log lines and steps. */
class Told {
  readonly #progress: unknown[] = [];
  readonly #logs: LoggedLine[] = [];
  readonly #steps: MemorySteps;
  readonly context: JobContext;

  constructor(
    private readonly job: JobFactory,
    input: unknown,
    { processor, signals, steps: replaced, client, ...given }: z.output<typeof optionsSchema>,
  ) {
    const log = (message: string, fields?: LogLineFields) => {
      this.#logs.push({ message: toLoggedText(message, fields).message, ...(fields && { fields }) });
    };
    const runChild = async (child: JobFactory, childInput: unknown) =>
      (await runJob(child, childInput, { ...(processor && { processor }) })).output;
    const steps = new MemorySteps(job, { ...given, signals, steps: replaced, client, runChild, log });
    this.#steps = steps;
    this.context = {
      ...given,
      input,
      timeLeft: withoutQueue.timeLeft,
      completeIn: withoutQueue.completeIn,
      progress: async (...values: ProgressArguments) => {
        this.#progress.push(toProgress(toProgressValue(...values)) ?? null);
      },
      log,
      get step() {
        return steps.current;
      },
      get processor() {
        if (processor) return processor;
        throw new Error(`The job '${job.name}' uses its processor: pass one, { processor }.`);
      },
    };
  }

  /** Calls the function of the job. @throws ValidationError for an invalid output, and errors of the job */
  async run(): Promise<JobRun> {
    const ended = await this.#steps.run(() => this.job.run(this.context));
    const steps = this.#steps.told;
    if ('continuedAs' in ended) {
      const { continuedAs } = ended;
      return { output: undefined, steps, continuedAs, progress: this.#progress, logs: this.#logs };
    }
    return { output: await this.#output(ended.returned), steps, progress: this.#progress, logs: this.#logs };
  }

  /** Returns the validated output. @throws ValidationError */
  async #output(returned: unknown): Promise<unknown> {
    return toOutput(await this.job.parseOutput(returned), this.job.name).value;
  }

  async batched(ended: PromiseSettledResult<unknown> | undefined): Promise<BatchedJobRun> {
    const told = { progress: this.#progress, logs: this.#logs };
    try {
      if (ended?.status === 'rejected') throw ended.reason;
      return { output: await this.#output(ended?.value), error: undefined, ...told };
    } catch (error) {
      return { output: undefined, error, ...told };
    }
  }
}
