import * as z from 'zod';
import type { Connected } from '../mongo/connected.js';
import { validateNow } from '../validate.js';
import type { AnyJobToAdd } from './add-jobs.js';
import {
  type CancelFilter,
  type CancelledInTree,
  cancelMany,
  type ManyChanged,
  type ManyOptions,
  type RetryFilter,
  type RetryHooks,
  type RetryManyOptions,
  retryMany,
} from './change-many.js';
import { countDueJobs } from './count-due-jobs.js';
import { type CappedCount, countBlocked, countJobs, type JobCounts } from './count-jobs.js';
import { findJobLog, type JobLog } from './find-job-log.js';
import { findOldestWaiting, type WaitingJob } from './find-oldest-waiting.js';
import { findSteps, type JobSteps, type StepCollections } from './find-steps.js';
import type { FormerHolder } from './former-holder.js';
import type { JobContract } from './job-contract.js';
import type { AddJobOptions, AddJobsOptions } from './job-options.js';
import { type JobPage, type JobsFilter, listJobs } from './list-jobs.js';
import type { ClaimFilter } from './queued-jobs.js';
import type { JobRegistry } from './registry.js';
import type { AddArguments, JobsByName, JobsToAdd } from './typed-jobs.js';
import type { AddedJob } from './write-job.js';

/** The jobs that a processor may claim. */
export interface Claims {
  readonly claimFilter: () => ClaimFilter;
  /** Returns the claim filter, restricted to queues that are not paused. @throws the driver's errors */
  readonly claimable: () => Promise<ClaimFilter>;
  /** Returns the queues of this processor that are not paused, or undefined for all. @throws the driver's errors */
  readonly openQueues: () => Promise<readonly string[] | undefined>;
}

/** Adds jobs, and tells workers. */
export interface Adding {
  one(job: string | JobContract, input?: unknown, options?: AddJobOptions): Promise<AddedJob>;
  many(jobs: readonly AnyJobToAdd[], options?: AddJobsOptions): Promise<AddedJob[]>;
}

/** Selects a page of the jobs that a job has added. */
export type ChildrenFilter = Pick<JobsFilter, 'status' | 'limit' | 'maxBytes' | 'cursor'>;

/** Functions called when many jobs are changed. Only `retrying.before` rejects. */
export interface AfterChanges {
  readonly freeing: (freed: readonly FormerHolder[]) => Promise<void>;
  readonly cancelling: (cancelled: readonly CancelledInTree[]) => Promise<void>;
  readonly retrying: RetryHooks;
}

/** Lists, counts and logs of many jobs. The processor itself adds, reads and changes single jobs. */
export class Jobs<out Kinds extends JobsByName = JobsByName> {
  constructor(
    private readonly collections: Connected<StepCollections>,
    private readonly claims: Claims,
    private readonly registry: JobRegistry,
    private readonly kick: () => Promise<void>,
    private readonly adding: Adding,
    private readonly after: AfterChanges,
    private readonly listTree: (id: string, filter?: ChildrenFilter) => Promise<JobPage>,
  ) {}

  /**
   * Adds a job as `addJob` does, and tells the outcome: the job is new, it replaced the input of a waiting job with its
   * unique key, or it left such a job as it is. Also tells whether the job left as it is has another input.
   *
   * @throws as `addJob` does
   * @example
   * const { id, outcome, inputDiffers } = await processor.jobs.add(reindex, { shop: 'a' }, { uniqueKey: 'a' });
   */
  async add<Job extends (keyof Kinds & string) | JobContract>(
    job: Job,
    ...args: AddArguments<Kinds, Job>
  ): Promise<AddedJob>;
  async add(job: string | JobContract, input?: unknown, options?: AddJobOptions): Promise<AddedJob> {
    return this.adding.one(job, input, options);
  }

  /** Adds jobs as `addJobs` does, and tells the outcome of each, as `add` does. @throws as `addJobs` does */
  async addMany<Inputs extends readonly unknown[], Named extends JobsByName = Kinds>(
    jobs: JobsToAdd<NoInfer<Named>, Inputs>,
    options?: AddJobsOptions,
  ): Promise<AddedJob[]>;
  async addMany(jobs: readonly AnyJobToAdd[], options?: AddJobsOptions): Promise<AddedJob[]> {
    return this.adding.many(jobs, options);
  }

  /**
   * Returns a page of jobs, by default the 100 newest, and a cursor for the next page. A job that exists throughout is
   * listed exactly once, whatever is added or removed between pages. With the status `error` or `cancelled`, jobs are in
   * the order in which they ended.
   *
   * With at most one of `status`, `jobName`, `queue` and `key`, the cost depends only on the page. With several, or with
   * `errorText`, at most 5,000 jobs are searched. A page may then have fewer jobs than `limit`, even none, but a cursor to
   * continue. A page holds at most 5 MB as JSON, or a single job, so pages of large jobs are shorter too.
   *
   * @throws ValidationError for an invalid filter or a cursor that no page returned
   * @example
   * let cursor: string | undefined;
   * do {
   *   const page = await processor.jobs.list({ status: 'error', jobName: 'charge', cursor });
   *   for (const job of page.jobs) console.log(job.id);
   *   cursor = page.cursor;
   * } while (cursor !== undefined);
   */
  async list(filter?: JobsFilter): Promise<JobPage> {
    return listJobs((await this.collections()).jobs, filter);
  }

  /**
   * Returns the last 100 lines that the job wrote with `log`, in all its attempts, and how many were dropped.
   *
   * @throws NotFoundError
   */
  async log(id: string): Promise<JobLog> {
    return findJobLog((await this.collections()).jobs, id);
  }

  /**
   * Returns the stored steps of a job, the things that it waits for, and the signals that no step has taken.
   *
   * @throws NotFoundError
   */
  async steps(id: string): Promise<JobSteps> {
    return findSteps(await this.collections(), id);
  }

  /**
   * Returns a page of the jobs that the steps of a job have added, at all levels. Each is followed by those below it, as in
   * a tree, and its `parents` tell how deep it is. Inputs, outputs, progress and stacks are left out.
   *
   * @param filter with `status`, each page searches 5,000 jobs. A page may then have fewer jobs than `limit`, even none,
   *   but a cursor to continue
   * @throws ValidationError for an invalid filter or a cursor that no page returned
   */
  async children(id: string, filter?: ChildrenFilter): Promise<JobPage> {
    return this.listTree(id, filter);
  }

  /** Returns how many jobs have each status, up to 10,000 each. Costs reads of index keys. */
  async count(): Promise<JobCounts> {
    return countJobs((await this.collections()).jobs);
  }

  /**
   * Returns how many due jobs this processor would take, except in paused queues. Counts up to `limit`, by default
   * 1000.
   *
   * @throws ValidationError for a limit that is not a positive whole number
   */
  async countReady(limit = 1000): Promise<number> {
    const valid = validateNow(readyLimit, limit, 'Limit of jobs.countReady');
    return countDueJobs((await this.collections()).jobs, await this.claims.claimable(), valid);
  }

  /** Returns how many queued jobs wait for a place in a limit, up to 10,000. Reads nothing if none waits. */
  async countBlocked(): Promise<CappedCount> {
    return countBlocked((await this.collections()).jobs);
  }

  /**
   * Returns the longest-waiting due job of each priority, highest priority first. Shows how far behind the workers are.
   * A job that nobody claims turns up here once the jobs before it are claimed. Jobs of paused queues do not count.
   * Costs one short read per priority with due jobs.
   */
  async oldestWaiting(): Promise<WaitingJob[]> {
    const { jobs } = await this.collections();
    const open = await this.claims.openQueues();
    return findOldestWaiting(jobs, this.claims.claimFilter(), open);
  }

  /**
   * Queues jobs again that ended in `error` or were cancelled, each as `retryJob` does. Works through them oldest
   * first, in slices of up to 1,000, by the index that `list` uses.
   *
   * @param options `limit`, `deadline` and `signal` end the work early; `callerRole` as in `AddJobOptions`
   * @returns how many were changed and skipped, and whether there are more
   * @throws ValidationError for an invalid filter or options, before anything is written
   * @example
   * await processor.jobs.retryMany({ status: 'error', jobName: 'charge', errorText: 'timed out' });
   */
  async retryMany(filter: RetryFilter, options: RetryManyOptions = {}): Promise<ManyChanged> {
    const result = await retryMany(
      await this.collections(),
      this.registry,
      filter,
      options,
      this.after.retrying,
    );
    if (result.changed > 0) await this.kick();
    return result;
  }

  /**
   * Cancels queued jobs and asks running ones to stop, each as `cancelJob` does. Works through them oldest first, in
   * slices of up to 1,000.
   *
   * @param options `limit`, `deadline` and `signal` end the work early
   * @returns how many were changed and skipped, and whether there are more
   * @throws ValidationError for an invalid filter or options, before anything is written
   */
  async cancelMany(filter: CancelFilter, options: ManyOptions = {}): Promise<ManyChanged> {
    const { freeing, cancelling } = this.after;
    return cancelMany((await this.collections()).jobs, filter, options, freeing, cancelling);
  }
}

const readyLimit = z.int().min(1);
