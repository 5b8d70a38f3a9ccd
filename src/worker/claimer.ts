import { randomUUID } from 'node:crypto';
import { claimAlike, claimJobAlone, claimJobs } from '../job/claim-jobs.js';
import { ClaimSpread } from '../job/claim-spread.js';
import type { LeaseRequest } from '../job/claim-statements.js';
import type { ClaimedJob } from '../job/job.js';
import type { QueuedJob } from '../job/queued-job.js';
import type { ClaimFilter } from '../job/queued-jobs.js';
import type { Logger } from '../log.js';
import { NoAnswer, withinTime } from '../mongo/within-time.js';
import { admitOrGiveBack } from './admit-or-give-back.js';
import { unlessAborted } from './unless-aborted.js';
import type { DrainContext, DrainLimits } from './worker.js';

/** How many claims in a row may find only jobs that their limits turn away. */
const MAX_TRIES = 10;

/** Maximum size of such a claim. Jobs that are turned away cost little, so a large claim gets past them soon. */
const MAX_TURNED_AWAY = 500;

/** As `MAX_TURNED_AWAY`, while jobs wait for their moments. A large claim would take so long that moments pass unused. */
const MAX_POSTPONED = 50;

/**
 * Claims jobs for one drain. Takes only jobs that fit into the remaining time, and gives up after the duration of a
 * lease.
 */
export class Claimer {
  /** How many jobs were claimed in all. */
  claimed = 0;
  /** True if the last claim failed or left out jobs that would not have fitted. */
  leftOut = false;
  /** True if the last claim got as many jobs as it asked for, so more are likely to wait. */
  moreWait = false;
  /** True if the last claim found jobs, even if their limits turned all of them away. */
  foundSome = false;
  readonly #spread = new ClaimSpread();
  /** The first moment that a rate limit gave to a job since claims find more jobs than they ask for. */
  #firstMoment: Date | undefined;

  /**
   * @param name name of the drain in leases
   * @param giveBack gives back a job that arrived too late
   * @param requeued gets the jobs to which their limits gave a place or a moment
   */
  constructor(
    private readonly worker: DrainContext,
    private readonly limits: DrainLimits,
    private readonly name: string,
    private readonly log: Logger,
    private readonly giveBack: (job: ClaimedJob) => Promise<unknown>,
    private readonly requeued: QueuedJob[],
  ) {}

  /** The maximum number of jobs that may wait for a slot here, since other workers claim as well. */
  get share(): number {
    return this.#spread.share;
  }

  /**
   * Claims up to `limit` jobs. Returns none when the claim is late, or fails, which is logged.
   *
   * @throws the driver's errors if nothing was claimed before
   */
  async claim(limit: number): Promise<ClaimedJob[]> {
    let wanted = limit;
    this.foundSome = false;
    for (let tries = 1; ; tries += 1) {
      const { found, jobs: first } = await this.#claimDue(wanted, limit);
      this.foundSome ||= found > 0;
      this.moreWait = found === wanted || this.#spread.stoppedEarly;
      if (!this.moreWait) this.#firstMoment = undefined;
      // Jobs whose moments have come stand behind those that were not given any yet.
      const isBehind = first.length === 0 && this.#firstMoment !== undefined;
      const jobs = isBehind ? (await this.#claimDue(limit, limit, this.#firstMoment)).jobs : first;
      if (tries === MAX_TRIES) return jobs;
      if (!this.moreWait) {
        // Not more than it can run now: jobs that wait here would keep the turn of other keys waiting.
        const more = await this.#giveTurns(Math.min(limit, this.limits.maxThreads) - jobs.length);
        if (jobs.length > 0 || more.length === 0) {
          this.requeued.push(...more);
          return jobs;
        }
      }
      if (jobs.length > 0) return jobs;
      const most = this.#firstMoment ? Math.max(MAX_POSTPONED, limit) : MAX_TURNED_AWAY;
      wanted = Math.min(most, 4 * wanted);
    }
  }

  /**
   * Claims due jobs, and admits those that may start.
   *
   * @param room how many the worker can take
   * @param from takes only jobs with this `runAt` or a later one
   */
  async #claimDue(
    wanted: number,
    room: number,
    from?: Date,
  ): Promise<{ readonly found: number; readonly jobs: ClaimedJob[] }> {
    let found = 0;
    const jobs = await this.#inTime(async (lease) => {
      const { filter, leftOut } = await this.fitting();
      this.leftOut = leftOut;
      const due = from ? { ...filter, runAtFrom: from } : filter;
      const claimed = await claimJobs(this.worker.jobs, due, lease, wanted, this.#spread);
      found = claimed.length;
      return this.#admit(claimed, room);
    });
    return { found, jobs };
  }

  /** Gives more jobs a turn. If that fails, the next claim does it. */
  async #giveTurns(idle: number): Promise<QueuedJob[]> {
    if (idle <= 0) return [];
    const { gate, leaseMs } = this.worker;
    try {
      return (await unlessAborted(this.limits.cutOff, withinTime(leaseMs, gate.giveTurns(idle)))) ?? [];
    } catch (error) {
      this.log.warn('Jobs could not be given a turn', { error: String(error) });
      return [];
    }
  }

  /** Claims one of the jobs that must run alone. @throws as in `claim` */
  claimAlone(): Promise<ClaimedJob[]> {
    return this.#inTime(async (lease) => {
      const filter = await this.worker.aloneFilter();
      return this.#admit(await claimJobAlone(this.worker.jobs, filter, lease), 1);
    });
  }

  /** Claims up to `limit` jobs of one kind and queue for a batch. @throws as in `claim` */
  claimLike(jobName: string, queue: string, limit: number): Promise<ClaimedJob[]> {
    return this.#inTime(async (lease) => {
      const { filter } = await this.fitting();
      const isOpen = filter.jobNames.includes(jobName) && (filter.queues?.includes(queue) ?? true);
      if (!isOpen) return [];
      const alike = { ...filter, jobNames: [jobName], queues: [queue] };
      return this.#admit(await claimAlike(this.worker.jobs, alike, lease, limit), limit);
    });
  }

  /**
   * Returns the claim filter without the jobs that take longer than the remaining time, and whether any were left out. The
   * first claim of a drain takes any job: a job that does not fit there fits nowhere.
   *
   * @throws the driver's errors
   */
  async fitting(): Promise<{ readonly filter: ClaimFilter; readonly leftOut: boolean }> {
    const { claimable, durations, factory } = this.worker;
    const filter = await claimable();
    if (this.claimed === 0) return { filter, leftOut: false };
    const leftMs = this.limits.stopAt - Date.now();
    const jobNames = filter.jobNames.filter((name) => durations.expected(name, factory(name)) <= leftMs);
    return { filter: { ...filter, jobNames }, leftOut: jobNames.length < filter.jobNames.length };
  }

  async #admit(claimed: ClaimedJob[], room: number): Promise<ClaimedJob[]> {
    const { admitted, requeued } = await admitOrGiveBack(this.worker.gate, claimed, room, this.giveBack);
    this.requeued.push(...requeued);
    for (const { runAt } of requeued) this.#noteMoment(runAt);
    return admitted;
  }

  #noteMoment(runAt: Date | number): void {
    if (runAt instanceof Date && (this.#firstMoment === undefined || runAt < this.#firstMoment))
      this.#firstMoment = runAt;
  }

  /** Claims, but waits no longer than a lease, or until the cut-off. Jobs that arrive later are given back. */
  async #inTime(claimBy: (lease: LeaseRequest) => Promise<ClaimedJob[]>): Promise<ClaimedJob[]> {
    const { leaseMs } = this.worker;
    const claim = claimBy({ token: randomUUID(), worker: this.name, leaseMs });
    try {
      // A claim that arrives later has already lost its leases.
      const jobs = await unlessAborted(this.limits.cutOff, withinTime(leaseMs, claim));
      if (jobs === undefined) void this.#giveBackLate(claim);
      this.claimed += jobs?.length ?? 0;
      return jobs ?? [];
    } catch (error) {
      if (error instanceof NoAnswer) void this.#giveBackLate(claim);
      // A drain that did some work reports that work. Only a drain that did nothing reports a failing database.
      if (this.claimed === 0) throw error;
      this.log.warn('A claim failed', { error: String(error) });
      this.leftOut = true;
      return [];
    }
  }

  /** Gives back the jobs of a late claim. If this fails too, the jobs are recovered once their leases expire. */
  async #giveBackLate(claim: Promise<readonly ClaimedJob[]>): Promise<void> {
    this.log.warn('A claim did not return in time');
    try {
      await Promise.all((await claim).map(this.giveBack));
    } catch (error) {
      this.log.warn('The jobs of a late claim could not be given back', { error: String(error) });
    }
  }
}
