import { randomUUID } from 'node:crypto';
import { claimAlike } from '../job/claim-alike.js';
import { claimJobAlone } from '../job/claim-job-alone.js';
import { claimJobs } from '../job/claim-jobs.js';
import { ClaimSpread } from '../job/claim-spread.js';
import type { LeaseRequest } from '../job/claim-statements.js';
import type { ClaimedJob } from '../job/job.js';
import { unbegun } from '../job/outcome.js';
import type { QueuedJob } from '../job/queued-job.js';
import type { ClaimFilter } from '../job/queued-jobs.js';
import { NoAnswer, withinTime } from '../mongo/within-time.js';
import type { DrainScope } from './drain-scope.js';
import type { ReadyAnnouncer } from './ready-announcer.js';
import { unlessAborted } from './unless-aborted.js';
import type { Writer } from './writer.js';

/** How many claims in a row may find only jobs that their limits turn away. */
const MAX_TRIES = 10;

/**
 * Maximum size of a claim after one whose jobs were all turned away. Such jobs cost little, so a large claim gets past them
 * soon.
 */
const MAX_TURNED_AWAY = 500;

/**
 * Maximum size of a claim while jobs wait for their moments. A larger claim would take so long that moments pass unused.
 */
const MAX_POSTPONED = 50;

/** The result of a claim. */
export interface Claim {
  readonly jobs: readonly ClaimedJob[];
  /** Whether it found jobs, even if their limits turned all of them away. */
  readonly foundSome: boolean;
  /** Whether it got as many jobs as it asked for, so more are likely to wait. */
  readonly moreWait: boolean;
}

/**
 * Claims jobs for one drain. Takes only jobs that fit into the remaining time, and gives up after the duration of a
 * lease.
 */
export class Claimer {
  /** How many jobs were claimed in all. */
  #claimed = 0;
  #hasLeftOut = false;
  readonly #spread = new ClaimSpread();
  /** The first moment that a rate limit gave to a job since claims began to find more jobs than they ask for. */
  #firstMoment: Date | undefined;

  /**
   * @param writer gives back jobs that arrived too late
   * @param ready gets the jobs to which their limits gave a place or a moment
   */
  constructor(
    private readonly scope: DrainScope,
    private readonly writer: Writer,
    private readonly ready: ReadyAnnouncer,
  ) {}

  /** How many jobs were claimed in all. */
  get claimed(): number {
    return this.#claimed;
  }

  /** How many more jobs may be claimed. */
  get left(): number {
    return this.scope.limits.maxJobs - this.#claimed;
  }

  /** The maximum number of jobs that may wait for a slot here, since other workers claim as well. */
  get share(): number {
    return this.#spread.share;
  }

  /** Whether jobs may be left that could not be claimed. The last claim failed, or the jobs would not have fitted. */
  get hasLeftOut(): boolean {
    return this.#hasLeftOut;
  }

  /**
   * Claims up to `limit` jobs. Takes none when the claim is late, or fails, which is logged.
   *
   * @throws the driver's errors if nothing was claimed before
   */
  async claim(limit: number): Promise<Claim> {
    let wanted = limit;
    let foundSome = false;
    for (let tries = 1; ; tries += 1) {
      const { found, jobs: first } = await this.#claimDue(wanted, limit);
      foundSome ||= found > 0;
      const moreWait = found === wanted || this.#spread.stoppedEarly;
      if (!moreWait) this.#firstMoment = undefined;
      // Jobs whose moments have come stand behind those that were not given any yet.
      const isBehind = first.length === 0 && this.#firstMoment !== undefined;
      const jobs = isBehind ? (await this.#claimDue(limit, limit, this.#firstMoment)).jobs : first;
      const claim = { jobs, foundSome, moreWait };
      if (tries === MAX_TRIES) return claim;
      if (!moreWait) {
        // Not more than it can run now: jobs that wait here would keep the turn of other keys waiting.
        const idle = Math.min(limit, this.scope.limits.maxThreads) - jobs.length;
        const given = await this.#giveTurns(idle);
        if (jobs.length > 0)
          this.ready.add(given); // Otherwise it claims them itself.
        else if (given.length === 0) return claim;
      }
      if (jobs.length > 0) return claim;
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
      this.#hasLeftOut = leftOut;
      const due = from ? { ...filter, runAtFrom: from } : filter;
      const claimed = await claimJobs(this.scope.shared.jobs, due, lease, wanted, this.#spread);
      found = claimed.length;
      return this.#admit(claimed, room);
    });
    return { found, jobs };
  }

  /** Gives more jobs a turn. If that fails, the next claim gives the turns. */
  async #giveTurns(idle: number): Promise<QueuedJob[]> {
    if (idle <= 0) return [];
    try {
      return (await this.#answer(this.scope.shared.gate.giveTurns(idle))) ?? [];
    } catch (error) {
      this.scope.log.warn('Jobs could not be given a turn', { error: String(error) });
      return [];
    }
  }

  /** Claims one of the jobs that must run alone. @throws as in `claim` */
  claimAlone(): Promise<ClaimedJob[]> {
    return this.#inTime(async (lease) => {
      const filter = await this.scope.shared.aloneFilter();
      return this.#admit(await claimJobAlone(this.scope.shared.jobs, filter, lease), 1);
    });
  }

  /** Claims up to `limit` jobs of one kind and queue for a batch. @throws as in `claim` */
  claimLike(jobName: string, queue: string, limit: number): Promise<ClaimedJob[]> {
    return this.#inTime(async (lease) => {
      const { filter } = await this.fitting();
      const isOpen = filter.jobNames.includes(jobName) && (filter.queues?.includes(queue) ?? true);
      if (!isOpen) return [];
      const alike = { ...filter, jobNames: [jobName], queues: [queue] };
      return this.#admit(await claimAlike(this.scope.shared.jobs, alike, lease, limit), limit);
    });
  }

  /**
   * Returns the claim filter without the jobs that take longer than the remaining time, and whether any were left out. The
   * first claim of a drain takes any job, because a job that does not fit then never fits.
   *
   * @throws the driver's errors
   */
  async fitting(): Promise<{ readonly filter: ClaimFilter; readonly leftOut: boolean }> {
    const { claimable, durations, factory } = this.scope.shared;
    const filter = await claimable();
    if (this.#claimed === 0) return { filter, leftOut: false };
    const leftMs = this.scope.limits.stopAt - Date.now();
    const jobNames = filter.jobNames.filter((name) => durations.expected(name, factory(name)) <= leftMs);
    return { filter: { ...filter, jobNames }, leftOut: jobNames.length < filter.jobNames.length };
  }

  async #admit(claimed: ClaimedJob[], room: number): Promise<ClaimedJob[]> {
    const { gate } = this.scope.shared;
    const { admitted, requeued } = await gate.admit(claimed, room, this.#giveBack);
    this.ready.add(requeued);
    for (const { runAt } of requeued) this.#noteMoment(runAt);
    return admitted;
  }

  #noteMoment(runAt: Date | number): void {
    if (runAt instanceof Date && (this.#firstMoment === undefined || runAt < this.#firstMoment))
      this.#firstMoment = runAt;
  }

  /** Claims, but waits no longer than a lease, or until the cut-off. Jobs that arrive later are given back. */
  async #inTime(claimBy: (lease: LeaseRequest) => Promise<ClaimedJob[]>): Promise<ClaimedJob[]> {
    const { leaseMs } = this.scope.shared;
    const claim = claimBy({ token: randomUUID(), worker: this.scope.name, leaseMs });
    try {
      // A claim that arrives later has already lost its leases.
      const jobs = await this.#answer(claim);
      if (jobs === undefined) void this.#giveBackLate(claim);
      this.#claimed += jobs?.length ?? 0;
      return jobs ?? [];
    } catch (error) {
      if (error instanceof NoAnswer) void this.#giveBackLate(claim);
      // A drain that did some work reports that work. Only a drain that did nothing reports a failing database.
      if (this.#claimed === 0) throw error;
      this.scope.log.warn('A claim failed', { error: String(error) });
      this.#hasLeftOut = true;
      return [];
    }
  }

  /** Awaits an answer for as long as a lease, or until the cut-off. Undefined then. */
  #answer<Result>(answer: Promise<Result>): Promise<Result | undefined> {
    const { limits, shared } = this.scope;
    return unlessAborted(limits.cutOff, withinTime(shared.leaseMs, answer));
  }

  readonly #giveBack = (job: ClaimedJob) => this.writer.settle(job, unbegun);

  /** Gives back the jobs of a late claim. If this fails too, the jobs are recovered once their leases expire. */
  async #giveBackLate(claim: Promise<readonly ClaimedJob[]>): Promise<void> {
    this.scope.log.warn('A claim did not return in time');
    try {
      await Promise.all((await claim).map(this.#giveBack));
    } catch (error) {
      this.scope.log.warn('The jobs of a late claim could not be given back', { error: String(error) });
    }
  }
}
