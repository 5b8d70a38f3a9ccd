import type { Connected } from '../mongo/connected.js';
import type { PageFilter } from '../page-filter.js';
import type { FoundSteps } from './find-steps.js';
import type { Job } from './job.js';
import type { JobFactoryInfo, JobFactoryPage } from './list-job-factories.js';
import { maskedJob, maskedSteps } from './masked-job.js';
import { masked, restored } from './redacted-paths.js';
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
   * Returns jobs as somebody may see them who must not see the values of redacted fields, for a page of your own. The values
   * are masked as the HTTP API masks them for callers without the role `admin`. Reads the kinds that this process does not
   * know.
   *
   * @throws the driver's errors
   */
  async masked(jobs: readonly Job[]): Promise<Job[]> {
    const redactions = await this.#redactionsOf(jobs);
    return jobs.map((job) => maskedJob(job, redactions.get(job.jobName)));
  }

  /**
   * Returns the steps of a job, masked as in `masked`.
   *
   * @param readInput reads the input of the job. Called only if its kind has redacted fields
   * @throws the driver's errors @internal
   */
  async maskedSteps(steps: FoundSteps, readInput: () => Promise<unknown>): Promise<FoundSteps> {
    const { jobName } = steps;
    const paths = (await this.#redactionsOf([{ jobName }])).get(jobName);
    return paths?.length === 0 ? steps : maskedSteps(steps, await readInput(), paths);
  }

  /** Returns scheduler items, or whatever else has an input, masked as in `masked`. @throws the driver's errors @internal */
  async maskedInputs<Item extends { readonly jobName: string; readonly input?: unknown }>(
    items: readonly Item[],
  ): Promise<Item[]> {
    const redactions = await this.#redactionsOf(items);
    return items.map((item) =>
      item.input === undefined ? item : { ...item, input: masked(item.input, redactions.get(item.jobName)) },
    );
  }

  /**
   * Returns an input that somebody saw masked and sends back, with the stored values behind the masks.
   *
   * @throws the driver's errors @internal
   */
  async restored(jobName: string, given: unknown, stored: unknown): Promise<unknown> {
    const redactions = await this.#redactionsOf([{ jobName }]);
    return restored(given, stored, redactions.get(jobName) ?? []);
  }

  async #redactionsOf(
    items: readonly Pick<Job, 'jobName'>[],
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    if (items.length === 0) return new Map();
    await this.connected();
    return this.registry.redactionsOf(items.map(({ jobName }) => jobName));
  }

  /** Returns the names of the first 1000 kinds of jobs. */
  async names(): Promise<string[]> {
    await this.connected();
    return this.registry.storedNames();
  }
}
