import type { InputArguments, JobContract } from './job-contract.js';
import type { AddJobOptions, AddJobsOptions } from './job-options.js';

/** Kinds of jobs by the names that they are added by: factories, or contracts where the code is elsewhere. */
export type JobsByName = Readonly<Record<string, JobContract>>;

/** The names that a processor knows: any, when it was not told. */
export type JobName<Jobs extends JobsByName> = keyof Jobs & string;

/** What a kind of job takes: given by its factory, its contract, or its name. */
export type InputOf<Jobs extends JobsByName, Job> =
  Job extends JobContract<infer Input>
    ? Input
    : Job extends keyof Jobs
      ? Jobs[Job] extends JobContract<infer Input>
        ? Input
        : never
      : never;

/** The arguments of `addJob` behind the job: its input, which may be left out where its schema allows that, and options. */
export type AddArguments<Jobs extends JobsByName, Job> = [
  ...InputArguments<InputOf<Jobs, Job>>,
  options?: AddJobOptions,
];

/** The input as a member of an object: it may be left out where its schema allows that. */
type InputMember<Input> = undefined extends Input
  ? { readonly input?: Input | undefined }
  : { readonly input: Input };

type OwnOptions = { readonly options?: Omit<AddJobOptions, keyof AddJobsOptions> | undefined };

/** A job that `addJobs` is to add, by the name of its kind. */
export type NamedJobToAdd<Jobs extends JobsByName> = {
  [Name in JobName<Jobs>]: { readonly name: Name; readonly job?: undefined } & InputMember<
    InputOf<Jobs, Name>
  > &
    OwnOptions;
}[JobName<Jobs>];

/** A job that `addJobs` is to add, by the factory or the contract of its kind, which types its input. */
export type TypedJobToAdd<Input> = {
  readonly job: JobContract<Input>;
  readonly name?: undefined;
} & InputMember<NoInfer<Input>> &
  OwnOptions;

/** The list of `addJobs`: each member by name, or by its factory or contract. */
export type JobsToAdd<Jobs extends JobsByName, Inputs extends readonly unknown[]> = readonly [
  ...{ [Index in keyof Inputs]: NamedJobToAdd<Jobs> | TypedJobToAdd<Inputs[Index]> },
];
