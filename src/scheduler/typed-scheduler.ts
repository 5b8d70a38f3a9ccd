import type { JobContract } from '../job/job-contract.js';
import { nameOf } from '../job/registry.js';
import type { InputOf, JobName, JobsByName } from '../job/typed-jobs.js';
import type { SchedulerOptions } from './scheduler-options.js';

/** All options except the job and its input. */
export type SchedulerTiming = SchedulerOptions extends infer Options
  ? Options extends unknown
    ? Omit<Options, 'jobName' | 'input' | 'timeField'>
    : never
  : never;

/** The input of an item's jobs. The field that `timeField` names may be missing here, because the scheduler sets it. */
export type ScheduledInput<Input> = unknown extends Input
  ? { readonly input?: unknown; readonly timeField?: string | undefined }
  : CompleteInput<Input> | { readonly input?: Partial<Input> | undefined; readonly timeField: string };

/** The whole input of an item's jobs, optional where the schema allows that. */
export type CompleteInput<Input> = (undefined extends Input
  ? { readonly input?: Input | undefined }
  : { readonly input: Input }) & {
  readonly timeField?: undefined;
};

/** The options of an item whose job is given by name. */
export type NamedScheduler<Jobs extends JobsByName> = SchedulerTiming &
  {
    [Name in JobName<Jobs>]: { readonly jobName: Name; readonly job?: undefined } & ScheduledInput<
      InputOf<Jobs, Name>
    >;
  }[JobName<Jobs>];

/** The options of an item whose job is given by factory or contract, which types its input. */
export type TypedScheduler<Input> = SchedulerTiming & {
  readonly job: JobContract<Input>;
  readonly jobName?: undefined;
} & ScheduledInput<NoInfer<Input>>;

/** Returns the options with the job's name in place of a factory or contract. */
export function withJobName(options: SchedulerOptions | TypedScheduler<unknown>): SchedulerOptions {
  if (!isTyped(options)) return options;
  const { job, jobName: _, ...rest } = options;
  return { ...rest, jobName: nameOf(job) };
}

function isTyped(options: SchedulerOptions | TypedScheduler<unknown>): options is TypedScheduler<unknown> {
  return options.jobName === undefined && 'job' in options && options.job !== undefined;
}
