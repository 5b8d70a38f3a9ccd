import type { ClientSession } from 'mongodb';
import { type AbortReason, AttemptAbortedError, ConflictError } from '../errors.js';
import type { ClaimedJob, HeldLease } from '../job/job.js';
import { type Outcome, settlementOf } from '../job/outcome.js';
import { type RenewalResult, renewLeases } from '../job/renew-leases.js';
import { settleInSession } from '../job/settle-jobs.js';
import { withinTime } from '../mongo/within-time.js';
import type { DrainScope } from './drain-scope.js';
import type { Reports } from './reports.js';
import { WorkerRegistration } from './worker-registration.js';

/** Leases are renewed at a third of their duration, so two heartbeats may fail before they expire. */
const HEARTBEATS_PER_LEASE = 3;

/** How often per heartbeat the event loop is checked. A blocked event loop is measured this precisely. */
const TICKS_PER_HEARTBEAT = 10;

/** An attempt whose lease is kept. */
export interface LeasedAttempt {
  readonly job: ClaimedJob;
  /** When its claim was requested, by `performance.now()`. */
  readonly askedAt: number;
  /** Undefined before its function is called. */
  readonly durationMs: number | undefined;
  abort(why: AbortReason): void;
}

/**
 * Renews all leases of a drain in one command. Aborts attempts whose lease was lost or whose job is to be cancelled. The
 * same timer shows that this worker is alive.
 */
export class LeaseKeeper {
  readonly #held = new Map<HeldLease, LeasedAttempt>();
  /** Held leases that are not renewed, since their jobs are written in a transaction. */
  readonly #apart = new Map<HeldLease, () => boolean>();
  /** The renewal under way. */
  #renewal: Promise<unknown> | undefined;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  /** When the last tick ran, which proves that the event loop was running. */
  #tickedAt = 0;
  #lastHeartbeat = 0;
  #renewing = false;
  /** True if a heartbeat was due while the previous one was still under way. */
  #isDue = false;
  /** When the last successful renewal began, or the first lease was requested. */
  #renewedAt = 0;
  readonly #registration: WorkerRegistration;

  /**
   * @param reports are sent along with heartbeats
   * @param onInTimeAgain called when heartbeats are no longer late
   */
  constructor(
    private readonly scope: DrainScope,
    private readonly reports: Reports,
    private readonly onInTimeAgain: () => void,
  ) {
    this.#intervalMs = scope.shared.leaseMs / HEARTBEATS_PER_LEASE;
    this.#registration = new WorkerRegistration(scope, this.#intervalMs);
  }

  /** Whether a heartbeat is missing. Leases are then near their end, so no job should be added. */
  get isLate(): boolean {
    return this.#held.size > 0 && performance.now() - this.#renewedAt > 2 * this.#intervalMs;
  }

  /** When the last successful renewal of all leases began, by `performance.now()`. */
  get renewedAt(): number {
    return this.#renewedAt;
  }

  /** Keeps the attempt's lease until `release`, until the lease is lost, or until the job is to be cancelled. */
  hold(attempt: LeasedAttempt): void {
    const now = performance.now();
    if (this.#held.size === 0) {
      this.#renewedAt = attempt.askedAt;
      this.#lastHeartbeat = now;
    }
    this.#held.set(attempt.job, attempt);
    if (this.#timer) return;
    this.#tickedAt = now;
    this.#registration.begin(now);
    this.#timer = setInterval(() => this.#tick(), this.#intervalMs / TICKS_PER_HEARTBEAT);
  }

  release({ job }: LeasedAttempt): void {
    this.#held.delete(job);
    this.#apart.delete(job);
  }

  /**
   * Renews the lease of a job, and leaves it out of the heartbeats while `work` writes the job in a transaction.
   * Otherwise the heartbeat of all leases would wait for that transaction.
   */
  async apart<Result>(job: ClaimedJob, work: () => Promise<Result>): Promise<Result> {
    const { jobs, leaseMs } = this.scope.shared;
    this.#apart.set(job, () => true);
    try {
      await this.#renewal;
      const { lost } = await renewLeases(jobs, [job], leaseMs);
      if (lost.length > 0) throw new AttemptAbortedError('lease lost');
      return await work();
    } finally {
      this.#apart.delete(job);
    }
  }

  /**
   * Writes how a job ended, in a transaction of the job itself. The lease is not renewed until the transaction has ended.
   *
   * @throws ConflictError if the lease is lost, or the job is to be cancelled
   */
  async completeIn(job: ClaimedJob, outcome: Outcome, session: ClientSession): Promise<void> {
    this.#apart.set(job, () => session.inTransaction());
    await this.#renewal;
    const settledAs = await settleInSession(this.scope.shared.jobs, settlementOf(job, outcome), session);
    if (settledAs !== 'completed')
      throw new ConflictError(job.id, `Job '${job.id}' could not be completed: it is ${settledAs}.`);
  }

  /**
   * Stops the timer until the next `hold`, and deletes the worker's document.
   *
   * @param isCutOff true if the database does not answer. The document is then left to expire
   */
  async pause(isCutOff: boolean): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#registration.end(isCutOff);
  }

  #tick(): void {
    const now = performance.now();
    const blockedMs = now - this.#tickedAt;
    this.#tickedAt = now;
    if (blockedMs > this.#intervalMs) this.#tellBlocked(blockedMs);
    this.#registration.keep(now);
    // Timers are slightly off, so the tick closest to the interval counts.
    if (now - this.#lastHeartbeat < this.#intervalMs * (1 - 0.5 / TICKS_PER_HEARTBEAT)) return;
    this.#lastHeartbeat = now;
    void this.#heartbeat(now);
  }

  #tellBlocked(blockedMs: number): void {
    const begun = [...this.#held.values()].filter(({ durationMs }) => durationMs !== undefined);
    const jobNames = [...new Set(begun.map(({ job }) => job.jobName))];
    const message =
      'The event loop was blocked, and heartbeats with it: work that keeps the CPU busy belongs in a subprocess job';
    this.scope.log.warn(message, { blockedMs: Math.round(blockedMs), jobNames });
  }

  async #heartbeat(now: number): Promise<void> {
    this.#letGoOfExpired(now);
    this.#isDue = this.#renewing; // The heartbeat under way then repeats itself at its end.
    if (this.#renewing || this.#held.size === 0) return;
    this.#renewing = true;
    try {
      const { renewed, cancelled, lost } = await this.#renew();
      if (renewed) this.#noteRenewal(now);
      for (const lease of cancelled) this.#letGo(lease, 'cancelled');
      for (const lease of lost) this.#letGo(lease, 'lease lost');
    } catch (error) {
      this.scope.log.error('Heartbeat failed', { error: String(error) });
    } finally {
      this.#renewing = false;
    }
    if (this.#isDue) await this.#heartbeat(performance.now());
  }

  #noteRenewal(began: number): void {
    const wasLate = this.isLate;
    this.#renewedAt = Math.max(this.#renewedAt, began);
    if (wasLate) this.onInTimeAgain();
  }

  #isApart(lease: HeldLease): boolean {
    return this.#apart.get(lease)?.() ?? false;
  }

  /** Limits the time of a renewal, so that a dead connection does not hold up the next renewal on another one. */
  #renew(): Promise<RenewalResult> {
    const { jobs, leaseMs } = this.scope.shared;
    return this.reports.alongside(async (reports, stored) => {
      const held = [...this.#held.keys()].filter((lease) => !this.#isApart(lease));
      const renewal = renewLeases(jobs, held, leaseMs, reports);
      this.#renewal = renewal.catch(() => {});
      const result = await withinTime(this.#intervalMs, renewal);
      if (result.renewed) stored();
      return result;
    });
  }

  /** Lets go of leases that were not renewed for the length of a lease. Other workers may hold these jobs by now. */
  #letGoOfExpired(now: number): void {
    for (const [lease, { askedAt }] of this.#held) {
      if (this.#isApart(lease)) continue; // Whether it is lost, the transaction finds out.
      if (now - Math.max(askedAt, this.#renewedAt) > this.scope.shared.leaseMs)
        this.#letGo(lease, 'lease lost');
    }
  }

  #letGo(lease: HeldLease, why: AbortReason): void {
    const attempt = this.#held.get(lease);
    this.#held.delete(lease);
    attempt?.abort(why); // Undefined if it was released during the heartbeat.
  }
}
