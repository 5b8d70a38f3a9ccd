import type { ClientSession } from 'mongodb';
import type { Job, JobStatus } from './job.js';
import type { JobContract } from './job-contract.js';
import type { AddJobsOptions, JobChanges } from './job-options.js';
import type { LogLineFields } from './log-line.js';
import type { ReportProgress } from './progress.js';
import type { Steps } from './steps.js';
import type { AddArguments, JobsByName, JobsToAdd } from './typed-jobs.js';

/** The argument of a job's function. */
export interface JobContext<Input = unknown> {
  /** Input as parsed by the factory's schema. */
  readonly input: Input;
  /**
   * Fires when the job is cancelled, its lease is lost, or the worker must stop. Then end soon, and throw if
   * unfinished.
   */
  readonly signal: AbortSignal;
  /** Id of the job, or `'call'` when the factory was called without a queue. */
  readonly jobId: string;
  /** Number of the attempt, from 1. */
  readonly attempt: number;
  /** Fencing token, unique to this attempt and named by every write about it. */
  readonly token: string;
  /** The processor that runs the job. A job can use it to add, read and change other jobs, and for any other method. */
  readonly processor: JobProcessor;
  /** Reports progress: `progress(value)`, `progress(0.5, 'half')` or `progress(3, 10, 'the third')`. */
  readonly progress: ReportProgress;
  /**
   * Adds a line to the job's log, which `processor.jobs.log(id)` returns. Nothing goes to standard output. The job keeps
   * the last 100 lines of all its attempts, each cut to 1,000 characters. Lines are written with the progress, at most
   * once a second. The last lines of an attempt are written with its outcome.
   *
   * @param fields at most 1 KB as JSON. Errors in them become their texts
   * @throws ValidationError for fields that cannot be written as a JSON object, or are too large
   */
  log(message: string, fields?: LogLineFields): void;
  /** Steps that are stored one by one, so that the job goes on after the last step that ended. */
  readonly step: Steps;
  /** Returns how long this attempt may still take, in milliseconds: until its timeout, or until its worker must stop. */
  timeLeft(): number;
  /**
   * Completes the job in a transaction of yours: its output and your writes are stored together or not at all. Then commit,
   * and return. If the transaction is not committed, returning completes the job all the same, and throwing fails it.
   *
   * @throws ValidationError for an output that the factory refuses, ConflictError if the lease is lost or the job is to be
   *   cancelled, and the driver's errors
   */
  completeIn(session: ClientSession, output?: unknown): Promise<void>;
}

/** The argument of a subprocess module's default export. Contains only values that can cross to another thread. */
export type SubprocessContext<Input = unknown> = Pick<
  JobContext<Input>,
  'input' | 'signal' | 'progress' | 'log'
>;

/** Methods that a job's function may call on its processor. */
export interface JobRequests {
  addJob<Added extends string | JobContract>(
    job: Added,
    ...args: AddArguments<JobsByName, Added>
  ): Promise<string>;
  addJobs<Inputs extends readonly unknown[]>(
    jobs: JobsToAdd<JobsByName, Inputs>,
    options?: AddJobsOptions,
  ): Promise<string[]>;
  updateJob(id: string, changes: JobChanges): Promise<void>;
  getJob(id: string): Promise<Job | undefined>;
  getJobStatus(id: string): Promise<JobStatus>;
  cancelJob(id: string): Promise<JobStatus>;
}

/** Declared further in processor.ts, which jobs do not import, with the facade that jobs receive. */
// biome-ignore lint/suspicious/noEmptyInterface: it is declared further where the facade is
export interface GivenToJobs {}

/** The processor as a job's function sees it: the whole facade, or only `JobRequests` where no facade is declared. */
export type JobProcessor = GivenToJobs extends { readonly processor: infer Facade extends JobRequests }
  ? Facade
  : JobRequests;
