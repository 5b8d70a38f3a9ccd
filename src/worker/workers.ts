import type { Collection } from 'mongodb';
import type { Connected } from '../mongo/connected.js';
import type { PageFilter } from '../page-filter.js';
import { countLiveWorkers, listLiveWorkers, type WorkerPage } from './find-live-workers.js';
import type { WorkerDocument } from './worker-document.js';

/** The worker invocations that are under way, whatever process they run in. */
export class Workers {
  constructor(private readonly collections: Connected<{ readonly workers: Collection<WorkerDocument> }>) {}

  /**
   * A page of the worker invocations that have claimed something, the oldest first, and a cursor for the next. One is seen
   * once it has lasted for a second; one that crashed, until its lease has expired.
   *
   * @throws ValidationError for a filter that is none, or a cursor that no page gave
   */
  async list(filter?: PageFilter): Promise<WorkerPage> {
    return listLiveWorkers((await this.collections()).workers, filter);
  }

  /** How many worker invocations are under way. */
  async count(): Promise<number> {
    return countLiveWorkers((await this.collections()).workers);
  }
}
