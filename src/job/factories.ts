import type { Connected } from '../mongo/connected.js';
import type { PageFilter } from '../page-filter.js';
import type { Job } from './job.js';
import type { JobFactoryInfo, JobFactoryPage } from './list-job-factories.js';
import { maskedJob } from './masked-job.js';
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

  /**
   * Returns jobs with the values of redacted fields masked, for a page of your own. Masks them as the HTTP API does for
   * callers without the role `admin`. Reads the stored kinds of jobs that this process does not know.
   *
   * @throws the driver's errors
   * @example
   * const shown = await processor.factories.masked((await processor.jobs.list()).jobs);
   */
  async masked(jobs: readonly Job[]): Promise<Job[]> {
    const redactions = await this.redactions(jobs.map(({ jobName }) => jobName));
    return jobs.map((job) => maskedJob(job, redactions.get(job.jobName)));
  }

  /**
   * Returns the redacted paths by kind of jobs. The list is empty for a kind without redacted fields. A kind that is
   * neither known here nor registered is missing, because nobody knows what to mask.
   *
   * @throws the driver's errors
   */
  async redactions(names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    if (names.length === 0) return new Map();
    await this.connected();
    return this.registry.redactionsOf(names);
  }

  /** Returns the names of the first 1000 kinds of jobs. */
  async names(): Promise<string[]> {
    await this.connected();
    return this.registry.storedNames();
  }
}
