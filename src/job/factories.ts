import type { Connected } from '../mongo/connected.js';
import type { PageFilter } from '../page-filter.js';
import type { JobFactoryInfo, JobFactoryPage } from './list-job-factories.js';
import type { JobRegistry } from './registry.js';

/** The kinds of jobs that can be added by name, whichever process registered them. */
export class Factories {
  constructor(
    private readonly connected: Connected<unknown>,
    private readonly registry: JobRegistry,
  ) {}

  /**
   * Returns a page of the kinds of jobs, sorted by name, and a cursor for the next page. A page is at most 5 MB as JSON.
   *
   * @throws ValidationError for an invalid filter or a cursor that no page returned
   */
  async list(filter?: PageFilter): Promise<JobFactoryPage> {
    await this.connected();
    return this.registry.list(filter);
  }

  /** Returns a kind of job, or undefined if it is not registered. */
  async get(name: string): Promise<JobFactoryInfo | undefined> {
    await this.connected();
    return this.registry.info(name);
  }

  /** Returns the names of the first 1000 kinds of jobs. */
  async names(): Promise<string[]> {
    await this.connected();
    return this.registry.storedNames();
  }
}
