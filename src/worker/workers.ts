import type { Collection } from 'mongodb';
import type { Connected } from '../mongo/connected.js';
import type { PageFilter } from '../page-filter.js';
import { countLiveWorkers, listLiveWorkers, type WorkerPage } from './find-live-workers.js';
import type { WorkerDocument } from './worker-document.js';

/** The worker invocations under way, in whatever process they run. */
export class Workers {
  constructor(private readonly collections: Connected<{ readonly workers: Collection<WorkerDocument> }>) {}

  /**
   * Returns a page of the worker invocations that have claimed jobs, oldest first, and a cursor for the next page. An
   * invocation is listed once it has lasted for a second. A crashed one stays listed until its lease expires.
   *
   * @throws ValidationError for an invalid filter or a cursor that no page returned
   */
  async list(filter?: PageFilter): Promise<WorkerPage> {
    return listLiveWorkers((await this.collections()).workers, filter);
  }

  /** Returns the number of worker invocations under way. */
  async count(): Promise<number> {
    return countLiveWorkers((await this.collections()).workers);
  }
}
