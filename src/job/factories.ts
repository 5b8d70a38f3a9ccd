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
   * A page of the kinds of jobs, in the order of their names, and a cursor for the next. It has at most 5 MB as it is sent
   * as JSON.
   *
   * @throws ValidationError for a filter that is none, or a cursor that no page gave
   */
  async list(filter?: PageFilter): Promise<JobFactoryPage> {
    await this.connected();
    return this.registry.list(filter);
  }

  /** What is known of one kind of job; undefined when nobody registered it. */
  async get(name: string): Promise<JobFactoryInfo | undefined> {
    await this.connected();
    return this.registry.info(name);
  }

  /** The names of the kinds of jobs: the first 1000. */
  async names(): Promise<string[]> {
    await this.connected();
    return this.registry.storedNames();
  }
}
