import type { Collection } from 'mongodb';
import * as z from 'zod';
import type { JobCollections } from '../job/jobs-collection.js';
import type { Connected } from '../mongo/connected.js';
import type { PageFilter } from '../page-filter.js';
import { validateNow } from '../validate.js';
import { countLiveWorkers, listLiveWorkers, type WorkerPage } from './find-live-workers.js';
import { findRunningJobs, type RunningJob } from './find-running-jobs.js';
import type { WorkerDocument } from './worker-document.js';

interface WorkerCollections extends JobCollections {
  readonly workers: Collection<WorkerDocument>;
}

/** Maximum number of running jobs in an answer. */
const MAX_RUNNING = 1000;

/** The worker invocations under way, in whatever process they run. */
export class Workers {
  constructor(private readonly collections: Connected<WorkerCollections>) {}

  /**
   * Returns a page of the worker invocations that have claimed jobs, oldest first, and a cursor for the next page. An
   * invocation is listed once it has lasted for a second. A crashed one stays listed until its lease expires.
   *
   * @throws ValidationError for an invalid filter or a cursor that no page returned
   */
  async list(filter?: PageFilter): Promise<WorkerPage> {
    return listLiveWorkers((await this.collections()).workers, filter);
  }

  /**
   * Returns the running jobs, each with its worker. Includes the jobs of a crashed worker until they are recovered.
   *
   * @param limit 1 to 1000, default 1000
   * @throws ValidationError for another limit
   */
  async running(limit = MAX_RUNNING): Promise<RunningJob[]> {
    const valid = validateNow(z.int().min(1).max(MAX_RUNNING), limit, 'Limit of workers.running');
    return findRunningJobs((await this.collections()).jobs, valid);
  }

  /** Returns the number of worker invocations under way. */
  async count(): Promise<number> {
    return countLiveWorkers((await this.collections()).workers);
  }
}
