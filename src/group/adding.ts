import type { ClientSession } from 'mongodb';
import type { Role } from '../access/role.js';
import type { AnyJobToAdd } from '../job/add-jobs.js';
import type { NewJob } from '../job/insert-job.js';
import type { JobContract } from '../job/job-contract.js';
import type { AddableJob, KnownSchemas } from '../job/registry.js';
import type { AddedJob } from '../job/write-job.js';

/** How jobs of groups are checked and added. */
export interface GroupAdding {
  /** Returns a kind of job that the caller may add. @throws ForbiddenError and UnknownJobNameError */
  addable(kind: string | JobContract, callerRole: Role | undefined): Promise<AddableJob>;
  /** Returns the schemas of a kind whose contract is known here. */
  schemasOf(kind: string | JobContract): KnownSchemas;
  /**
   * Checks jobs to add. @throws ValidationError with paths that begin with the index, UnknownJobNameError, or
   * ForbiddenError
   */
  check(jobs: readonly AnyJobToAdd[], callerRole: Role | undefined): Promise<NewJob[]>;
  /** Adds checked jobs, and tells workers. @param patience how long to keep trying, in milliseconds */
  add(checked: readonly NewJob[], patience: number, session?: ClientSession): Promise<AddedJob[]>;
}
