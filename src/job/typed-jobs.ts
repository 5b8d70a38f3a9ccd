import type { InputArguments, JobContract } from './job-contract.js';
import type { AddJobOptions, AddJobsOptions } from './job-options.js';

/** Kinds of jobs by name: factories, or contracts if the code is elsewhere. */
export type JobsByName = Readonly<Record<string, JobContract>>;

/** The names of jobs that a processor was given, or any name if it was given none. */
export type JobName<Jobs extends JobsByName> = keyof Jobs & string;

/** The input of a kind of job, given by its factory, contract or name. */
export type InputOf<Jobs extends JobsByName, Job> =
  Job extends JobContract<infer Input>
    ? Input
    : Job extends keyof Jobs
      ? Jobs[Job] extends JobContract<infer Input>
        ? Input
        : never
      : never;

/** The arguments of `addJob` after the job: its input, optional where the schema allows that, and options. */
export type AddArguments<Jobs extends JobsByName, Job> = [
  ...InputArguments<InputOf<Jobs, Job>>,
  options?: AddJobOptions,
];

/** The input as a member of an object, optional where the schema allows that. */
export type InputMember<Input> = undefined extends Input
  ? { readonly input?: Input | undefined }
  : { readonly input: Input };

/** The options of a job in `addJobs` that are not given for all jobs together. */
export type JobToAddOptions = { readonly options?: Omit<AddJobOptions, keyof AddJobsOptions> | undefined };

/** A job for `addJobs`, identified by the name of its kind. */
export type NamedJobToAdd<Jobs extends JobsByName> = {
  [Name in JobName<Jobs>]: { readonly name: Name; readonly job?: undefined } & InputMember<
    InputOf<Jobs, Name>
  > &
    JobToAddOptions;
}[JobName<Jobs>];

/** A job for `addJobs`, identified by its factory or contract, which types its input. */
export type TypedJobToAdd<Input> = {
  readonly job: JobContract<Input>;
  readonly name?: undefined;
} & InputMember<NoInfer<Input>> &
  JobToAddOptions;

/** The list of `addJobs`, with each job given by name, factory or contract. */
export type JobsToAdd<Jobs extends JobsByName, Inputs extends readonly unknown[]> = readonly [
  ...{ [Index in keyof Inputs]: NamedJobToAdd<Jobs> | TypedJobToAdd<Inputs[Index]> },
];
