import * as z from 'zod';
import type { Connected } from '../mongo/connected.js';
import { validateNow } from '../validate.js';
import {
  type CancelFilter,
  cancelMany,
  type ManyChanged,
  type ManyOptions,
  type RetryFilter,
  type RetryManyOptions,
  retryMany,
} from './change-many.js';
import { countDueJobs } from './count-due-jobs.js';
import { countJobs, type JobCounts } from './count-jobs.js';
import { findJobLog, type JobLog } from './find-job-log.js';
import { findOldestWaiting, type WaitingJob } from './find-oldest-waiting.js';
import type { JobCollections } from './jobs-collection.js';
import { type JobPage, type JobsFilter, listJobs } from './list-jobs.js';
import type { ClaimFilter } from './queued-jobs.js';
import type { JobRegistry } from './registry.js';

/** Which jobs a processor takes. */
export interface Claims {
  readonly claimFilter: () => ClaimFilter;
  /** The same, without the queues that are paused. @throws what the driver throws */
  readonly claimable: () => Promise<ClaimFilter>;
  /** The queues that are open; undefined for all. @throws what the driver throws */
  readonly openQueues: () => Promise<readonly string[] | undefined>;
}

/** Jobs as many: lists, counts and logs. One job is added, read and changed by the processor itself. */
export class Jobs {
  constructor(
    private readonly collections: Connected<JobCollections>,
    private readonly claims: Claims,
    private readonly registry: JobRegistry,
    private readonly kick: () => Promise<void>,
  ) {}

  /**
   * A page of jobs, by default the 100 newest, and a cursor for the next. Each job that is there all the while comes
   * exactly once, whatever is added or removed between the pages.
   *
   * By one of `status`, `jobName` and `queue`, or none, it costs what it gives. By several, or by `errorText`, it looks
   * through at most 5,000 jobs: so a page may have fewer than `limit`, even none, and a cursor to go on with. A page has at
   * most 5 MB as it is sent as JSON, or a single job: of large jobs it has fewer, too.
   *
   * @throws ValidationError for a filter that is not a `JobsFilter`, or a cursor that no page gave
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

  /** What the job wrote by `log`, in all its attempts: the last 100 lines, and how many were dropped. @throws NotFoundError */
  async log(id: string): Promise<JobLog> {
    return findJobLog((await this.collections()).jobs, id);
  }

  /** How many jobs there are of each status: counted up to 10,000 each, by an index. */
  async count(): Promise<JobCounts> {
    return countJobs((await this.collections()).jobs);
  }

  /**
   * How many jobs are due that this processor takes, those of paused queues left out: counted up to `limit`, by default
   * 1000.
   *
   * @throws ValidationError for a limit that is not a whole number from 1 on
   */
  async countReady(limit = 1000): Promise<number> {
    const valid = validateNow(readyLimit, limit, 'Limit of jobs.countReady');
    return countDueJobs((await this.collections()).jobs, await this.claims.claimable(), valid);
  }

  /**
   * Of each priority in which a job is due, the one that waits longest; the highest priority first, nothing when no
   * job is due. It costs one short read per such priority, and tells how far behind the workers are. A job that
   * nobody claims turns up here, since those before it are claimed. Jobs of paused queues do not count.
   */
  async oldestWaiting(): Promise<WaitingJob[]> {
    const { jobs } = await this.collections();
    const open = await this.claims.openQueues();
    return findOldestWaiting(jobs, this.claims.claimFilter(), open);
  }

  /**
   * Queues jobs again that ended in `error`, or were cancelled, as `retryJob` does each: the oldest first, in slices of up to
   * 1,000, each found by the index that `list` uses.
   *
   * @param options `limit`, `deadline` and `signal` end it before; `callerRole`: as in `AddJobOptions`
   * @returns how many were changed and skipped, and whether there are more
   * @throws ValidationError for a filter or options that are none; nothing is written then
   * @example
   * await processor.jobs.retryMany({ status: 'error', jobName: 'charge', errorText: 'timed out' });
   */
  async retryMany(filter: RetryFilter, options: RetryManyOptions = {}): Promise<ManyChanged> {
    const result = await retryMany(await this.collections(), this.registry, filter, options);
    if (result.changed > 0) await this.kick();
    return result;
  }

  /**
   * Cancels queued jobs, or asks running ones to stop, as `cancelJob` does each: the oldest first, in slices of up to 1,000.
   *
   * @param options `limit`, `deadline` and `signal` end it before
   * @returns how many were changed and skipped, and whether there are more
   * @throws ValidationError for a filter or options that are none; nothing is written then
   */
  async cancelMany(filter: CancelFilter, options: ManyOptions = {}): Promise<ManyChanged> {
    return cancelMany((await this.collections()).jobs, filter, options);
  }
}

const readyLimit = z.int().min(1);
