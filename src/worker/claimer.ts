import { randomUUID } from 'node:crypto';
import { claimJobAlone, claimJobs } from '../job/claim-jobs.js';
import { ClaimSpread } from '../job/claim-spread.js';
import type { ClaimedJob } from '../job/job.js';
import type { ClaimFilter } from '../job/queued-jobs.js';
import type { Logger } from '../log.js';
import { NoAnswer, withinTime } from '../mongo/within-time.js';
import { unlessAborted } from './unless-aborted.js';
import type { DrainLimits, Worker } from './worker.js';

/** Claims for one drain: what fits into the time that is left, within the time that a lease lasts. */
export class Claimer {
  /** How many jobs it took in all. */
  claimed = 0;
  /** The last claim left out jobs that would not have fitted, or failed. */
  leftOut = false;
  /** The last claim got all that it asked for, so that more are likely to wait. */
  moreWait = false;
  readonly #spread = new ClaimSpread();

  /**
   * @param name of the drain, in leases
   * @param giveBack gives back a job that nobody waits for any more
   */
  constructor(
    private readonly worker: Worker,
    private readonly limits: DrainLimits,
    private readonly name: string,
    private readonly log: Logger,
    private readonly giveBack: (job: ClaimedJob) => Promise<unknown>,
  ) {}

  /** The most that may wait for a slot here, since others claim as well. */
  get share(): number {
    return this.#spread.share;
  }

  /**
   * Claims up to so many jobs. None when the claim fails, which is logged, or does not return in time.
   *
   * @throws what the driver throws, when nothing was claimed before
   */
  async claim(limit: number): Promise<ClaimedJob[]> {
    const jobs = await this.#within((lease) =>
      this.fitting().then((filter) => claimJobs(this.worker.jobs, filter, lease, limit, this.#spread)),
    );
    this.moreWait = jobs.length === limit;
    return jobs;
  }

  /** Claims one of the jobs that are to run alone. @throws as `claim` */
  claimAlone(): Promise<ClaimedJob[]> {
    const filter = this.worker.aloneFilter();
    return this.#within((lease) => claimJobAlone(this.worker.jobs, filter, lease));
  }

  /**
   * The filter of claims, without the names of jobs that take longer than there is time. The first claim of a drain takes
   * any: a job that does not fit there fits nowhere.
   *
   * @throws what the driver throws
   */
  async fitting(): Promise<ClaimFilter> {
    const { claimable, durations, factory } = this.worker;
    const filter = await claimable();
    if (this.claimed === 0) return filter;
    const leftMs = this.limits.stopAt - Date.now();
    const jobNames = filter.jobNames.filter((name) => durations.expected(name, factory(name)) <= leftMs);
    this.leftOut = jobNames.length < filter.jobNames.length;
    return { ...filter, jobNames };
  }

  async #within(
    claimBy: (lease: Parameters<typeof claimJobs>[2]) => Promise<ClaimedJob[]>,
  ): Promise<ClaimedJob[]> {
    const { leaseMs } = this.worker;
    const claim = claimBy({ token: randomUUID(), worker: this.name, leaseMs });
    try {
      // What is claimed later than that has lost its lease.
      const jobs = await unlessAborted(this.limits.cutOff, withinTime(leaseMs, claim));
      if (jobs === undefined) void this.#giveBackLate(claim);
      this.claimed += jobs?.length ?? 0;
      return jobs ?? [];
    } catch (error) {
      if (error instanceof NoAnswer) void this.#giveBackLate(claim);
      // What was done is worth telling; that the database fails, a drain that did nothing tells.
      if (this.claimed === 0) throw error;
      this.log.warn('A claim failed', { error: String(error) });
      this.leftOut = true;
      return [];
    }
  }

  /** Nobody waits for these any more: if this fails too, they are recovered once their leases have expired. */
  async #giveBackLate(claim: Promise<readonly ClaimedJob[]>): Promise<void> {
    this.log.warn('A claim did not return in time');
    try {
      await Promise.all((await claim).map(this.giveBack));
    } catch (error) {
      this.log.warn('What a late claim took could not be given back', { error: String(error) });
    }
  }
}
