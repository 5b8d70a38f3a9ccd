import * as z from 'zod';
import { callerRoleSchema, type Role } from '../access/role.js';
import type { Duration } from '../duration.js';
import { durationSchema } from '../duration.js';
import type { AnyJobToAdd } from '../job/add-jobs.js';
import { MAX_SLOTS } from '../job/flow-rules.js';
import { type Awaited, MAX_MEMBERS } from '../job/group.js';
import { groupIdSchema, type Retention, retentionSchema } from '../job/job-options.js';
import type { JobsByName, NamedJobToAdd, TypedJobToAdd } from '../job/typed-jobs.js';
import { ELECTION_MS } from '../mongo/election.js';
import { namedRecord } from '../named-record.js';

/** Options that batches and workflows have in common. */
export interface GroupOptions {
  /** Id, generated if absent. Adding the same group again with the same id is harmless. */
  readonly id?: string | undefined;
  /** How long the group is kept with its jobs after all have ended. Default: 7 days, or 30 days if one has failed. */
  readonly retention?: Omit<Retention, 'cancelled'> | undefined;
  /** Role of the person for whom the jobs are added. As in `AddJobOptions`. */
  readonly callerRole?: Role | undefined;
  /** How long to keep trying while the database cannot be reached. Default 13 s. */
  readonly patience?: Duration | undefined;
}

/** Options of `addBatch`. */
export interface AddBatchOptions<Then = AnyJobToAdd> extends GroupOptions {
  /** A job that runs once, after all jobs of the batch. Its id is that of the batch and `.then`. */
  readonly then?: Then | undefined;
  /**
   * When that job runs: after all jobs have completed, or after all have been settled in any way. With `completed`, it waits
   * until failed jobs are retried. Default `'completed'`.
   */
  readonly when?: Awaited['when'] | undefined;
  /** How many of its jobs run at a time, in all workers together: 1 to 1000. Default: no limit except those of their kinds. */
  readonly concurrency?: number | undefined;
}

/** The jobs that a job of a workflow waits for. */
export interface AfterOthers {
  /** Names of jobs of the workflow that it waits for. It also waits for those whose results its input has. */
  readonly after?: readonly string[] | undefined;
  /**
   * When it runs: after all jobs that it waits for have completed, or after all have been settled in any way. With `completed`,
   * it waits until failed jobs are retried. Default `'completed'`.
   */
  readonly when?: Awaited['when'] | undefined;
}

/** The jobs of a workflow by their names in it, each given by name, factory or contract. */
export type WorkflowJobs<Jobs extends JobsByName, Inputs> = {
  readonly [Name in keyof Inputs]: (NamedJobToAdd<Jobs> | TypedJobToAdd<Inputs[Name]>) & AfterOthers;
};

/** A workflow to be added. */
export interface Workflow<Jobs = Readonly<Record<string, AnyJobToAdd & AfterOthers>>> extends GroupOptions {
  /** Its 1 to 1,000 jobs, by their names in the workflow. */
  readonly jobs: Jobs;
}

const whenSchema = z.enum(['completed', 'settled']);

const shape = {
  id: groupIdSchema.optional(),
  retention: retentionSchema.prefault({}),
  callerRole: callerRoleSchema,
  patience: durationSchema.default(ELECTION_MS),
};

export const batchOptionsSchema = z.strictObject({
  ...shape,
  then: z
    .custom<AnyJobToAdd>((then) => typeof then === 'object' && then !== null, 'expected a job')
    .optional(),
  when: whenSchema.default('completed'),
  concurrency: z.int().min(1).max(MAX_SLOTS).optional(),
});

export const batchJobsSchema = z
  .array(z.custom<AnyJobToAdd>())
  .max(MAX_MEMBERS, `expected at most ${MAX_MEMBERS} jobs`);

/** The largest number of jobs in a workflow. They are added in one transaction. */
const MAX_JOBS = 1000;

export const workflowSchema = z.strictObject({
  ...shape,
  jobs: namedRecord(
    z.string().regex(/^[\w-]{1,100}$/, 'expected a name of 1 to 100 letters, digits, _ or -'),
    z.looseObject({
      after: z.array(z.string()).default([]),
      when: whenSchema.default('completed'),
    }),
  ).refine(
    (jobs) => Object.keys(jobs).length > 0 && Object.keys(jobs).length <= MAX_JOBS,
    `expected 1 to ${MAX_JOBS} jobs`,
  ),
});
