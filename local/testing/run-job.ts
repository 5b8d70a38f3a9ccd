import { z } from 'zod';
import type { InputArguments, JobContext, JobFactory, LogLineFields } from '../../src/index.js';
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
  const { processor, ...given } = validateNow(optionsSchema, options, 'The call of runJob');
  const progress: unknown[] = [];
  const logs: LoggedLine[] = [];
  const returned = await job.run({
    ...given,
    input: await job.parseInput(toInput(input, job.name)),
    progress: async (...values: ProgressArguments) => {
      progress.push(toProgress(toProgressValue(...values)) ?? null);
    },
    log: (message, fields) => {
      logs.push({ message: toLoggedText(message, fields).message, ...(fields && { fields }) });
    },
    get processor() {
      if (processor) return processor;
      throw new Error(`The job '${job.name}' uses its processor: pass one to runJob, { processor }.`);
    },
  });
  const { value } = toOutput(await job.parseOutput(returned), job.name);
  return { output: value, progress, logs };
}
