import type { JobContract } from '../job/job-contract.js';
import { nameOf } from '../job/registry.js';
import type { InputOf, JobName, JobsByName } from '../job/typed-jobs.js';
import type { SchedulerOptions } from './scheduler-options.js';

/** All options except the job and its input. */
type Timing = SchedulerOptions extends infer Options
  ? Options extends unknown
    ? Omit<Options, 'jobName' | 'input' | 'timeField'>
    : never
  : never;

/** The input of each job of an item. The scheduler fills in the field of `timeField`, so that field may be missing here. */
type ScheduledInput<Input> = unknown extends Input
  ? { readonly input?: unknown; readonly timeField?: string | undefined }
  : CompleteInput<Input> | { readonly input?: Partial<Input> | undefined; readonly timeField: string };

type CompleteInput<Input> = (undefined extends Input
  ? { readonly input?: Input | undefined }
  : { readonly input: Input }) & {
  readonly timeField?: undefined;
};

/** The options of an item that names its job. */
export type NamedScheduler<Jobs extends JobsByName> = Timing &
  {
    [Name in JobName<Jobs>]: { readonly jobName: Name; readonly job?: undefined } & ScheduledInput<
      InputOf<Jobs, Name>
    >;
  }[JobName<Jobs>];

/** The options of an item that gives its job by factory or contract, which types its input. */
export type TypedScheduler<Input> = Timing & {
  readonly job: JobContract<Input>;
  readonly jobName?: undefined;
} & ScheduledInput<NoInfer<Input>>;

/** Returns the same options, with the name of the job. */
export function withJobName(options: SchedulerOptions | TypedScheduler<unknown>): SchedulerOptions {
  if (!isTyped(options)) return options;
  const { job, jobName: _, ...rest } = options;
  return { ...rest, jobName: nameOf(job) };
}

function isTyped(options: SchedulerOptions | TypedScheduler<unknown>): options is TypedScheduler<unknown> {
  return options.jobName === undefined && 'job' in options && options.job !== undefined;
}
