import { z } from 'zod';
import type { InputArguments, JobContext, JobFactory, LogLineFields } from '../../src/index.js';
import { withoutQueue } from '../../src/job/direct-steps.js';
import { toLoggedText } from '../../src/job/log-line.js';
import { type ProgressArguments, toProgressValue } from '../../src/job/progress.js';
import { toInput, toOutput, toProgress } from '../../src/job/storable.js';
import { validateNow } from '../../src/validate.js';

/** What a job's function gets beside its input. */
export interface RunJobOptions {
  /** Number of the attempt, from 1. Default 1. */
  readonly attempt?: number;
  /** Default: a signal that never fires. */
  readonly signal?: AbortSignal;
  /** Fencing token. Default `'token'`. */
  readonly token?: string;
  /** Default `'job'`. */
  readonly jobId?: string;
  /** Default: none, so that a job which uses its processor fails with an error that says so. */
  readonly processor?: JobContext['processor'];
}

/** A line that a job logged. */
export interface LoggedLine {
  readonly message: string;
  readonly fields?: LogLineFields;
}

/** What a job returned and reported. */
export interface JobRun<Output = unknown> {
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
});

/**
 * Runs the function of a job once, without a database. Input, output, progress and log lines are checked as in a worker.
 * Middleware is not called, and the job's timeout does not apply: pass a signal.
 *
 * @throws ValidationError for an invalid option, input, output, progress or log line, and whatever the job throws
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
  return told.run(await job.run(told.context));
}

/** How a job of `runBatch` ended, and what it reported. */
export interface BatchedJobRun<Output = unknown> extends Omit<JobRun, 'output'> {
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
  options?: Omit<RunJobOptions, 'jobId'>,
): Promise<BatchedJobRun<Output>[]>;
export async function runBatch(
  job: JobFactory,
  inputs: readonly unknown[],
  options: Omit<RunJobOptions, 'jobId'> = {},
): Promise<BatchedJobRun[]> {
  const subject = 'The call of runBatch';
  const given = validateNow(batchOptionsSchema, options, subject);
  const { run, size } = validateNow(batchedSchema, { run: job.runBatch, size: job.batch?.size }, subject);
  validateNow(z.array(z.unknown()).min(1).max(size), inputs, `${subject}, its inputs`);
  const parsed = await Promise.all(inputs.map((input) => job.parseInput(toInput(input, job.name))));
  const told = parsed.map((input, n) => new Told(job, input, { ...given, jobId: `job ${n + 1}` }));
  const ended = await Promise.allSettled(run(told.map(({ context }) => context)));
  return Promise.all(told.map((each, n) => each.batched(ended[n])));
}

const batchOptionsSchema = optionsSchema.omit({ jobId: true });

const batchedSchema = z.object({
  run: z.custom<NonNullable<JobFactory['runBatch']>>(
    (run) => typeof run === 'function',
    'expected a batched job',
  ),
  size: z.int(),
});

/** Collects everything that the function of a job tells. */
class Told {
  readonly #progress: unknown[] = [];
  readonly #logs: LoggedLine[] = [];
  readonly context: JobContext;

  constructor(
    private readonly job: JobFactory,
    input: unknown,
    { processor, ...given }: z.output<typeof optionsSchema>,
  ) {
    this.context = {
      ...withoutQueue,
      ...given,
      input,
      progress: async (...values: ProgressArguments) => {
        this.#progress.push(toProgress(toProgressValue(...values)) ?? null);
      },
      log: (message, fields) => {
        this.#logs.push({ message: toLoggedText(message, fields).message, ...(fields && { fields }) });
      },
      get processor() {
        if (processor) return processor;
        throw new Error(`The job '${job.name}' uses its processor: pass one, { processor }.`);
      },
    };
  }

  /** @throws ValidationError for an invalid output */
  async run(returned: unknown): Promise<JobRun> {
    const { value } = toOutput(await this.job.parseOutput(returned), this.job.name);
    return { output: value, progress: this.#progress, logs: this.#logs };
  }

  async batched(ended: PromiseSettledResult<unknown> | undefined): Promise<BatchedJobRun> {
    try {
      if (ended?.status === 'rejected') throw ended.reason;
      return { ...(await this.run(ended?.value)), error: undefined };
    } catch (error) {
      return { output: undefined, error, progress: this.#progress, logs: this.#logs };
    }
  }
}
