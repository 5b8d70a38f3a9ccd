import type { Job, JobStatus } from './job.js';
import type { JobContract } from './job-contract.js';
import type { AddJobsOptions, JobChanges } from './job-options.js';
import type { LogLineFields } from './log-line.js';
import type { ReportProgress } from './progress.js';
import type { AddArguments, JobsByName, JobsToAdd } from './typed-jobs.js';

/** The argument of a job's function. */
export interface JobContext<Input = unknown> {
  /** Parsed by the factory's schema. */
  readonly input: Input;
  /** Fires when the job is cancelled, its lease is lost, or the worker must stop: end soon, throw if unfinished. */
  readonly signal: AbortSignal;
  /** The job's id; `'call'` when the factory was called without a queue. */
  readonly jobId: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** The fencing token: what every write about this attempt names, and no other attempt has. */
  readonly token: string;
  /** What runs the job: adds others, reads and changes them, and whatever else a `RemoteProcessor` does. */
  readonly processor: JobProcessor;
  /** Tells how far the job is: `progress(value)`, `progress(0.5, 'half')` or `progress(3, 10, 'the third')`. */
  readonly progress: ReportProgress;
  /**
   * Adds a line to the job's log, which `processor.jobs.log(id)` gives; nothing of it goes to standard output. Lines are kept on the
   * job: the last 100 of all its attempts, each cut to 1,000 characters. They are written with the progress, at most once
   * a second, and the last of an attempt with its outcome.
   *
   * @param fields at most 1 KB as JSON; errors in them become their texts
   * @throws ValidationError for fields that cannot be written as a JSON object, or are too large
   */
  log(message: string, fields?: LogLineFields): void;
}

/** The argument of a subprocess module's default export. It has only what can cross to another thread. */
export type SubprocessContext<Input = unknown> = Pick<
  JobContext<Input>,
  'input' | 'signal' | 'progress' | 'log'
>;

/** What a job's function may ask for. */
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

/** The facade, which jobs do not import, declares in processor.ts that it is what they are given. */
// biome-ignore lint/suspicious/noEmptyInterface: it is declared further where the facade is
export interface GivenToJobs {}

/** What runs a job, as the job's function has it: all of the facade, or without one what jobs may ask for. */
export type JobProcessor = GivenToJobs extends { readonly processor: infer Facade extends JobRequests }
  ? Facade
  : JobRequests;
