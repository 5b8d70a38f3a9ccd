import type { ClientSession, Collection } from 'mongodb';
import { type AbortReason, AttemptAbortedError, ConflictError } from '../errors.js';
import type { ClaimedJob, HeldLease, JobDocument } from '../job/job.js';
import { type Outcome, settlementOf } from '../job/outcome.js';
import { type RenewalResult, renewLeases } from '../job/renew-leases.js';
import { settleInSession } from '../job/settle-jobs.js';
import type { Logger } from '../log.js';
import { withinTime } from '../mongo/within-time.js';
import type { Attempt } from './attempt.js';
import { registerWorker, unregisterWorker, type WorkerInfo } from './register-worker.js';
import type { WorkerDocument } from './worker-document.js';
import type { Writer } from './writer.js';

/** Leases are renewed at a third of their duration, so two heartbeats may fail before they expire. */
const HEARTBEATS_PER_LEASE = 3;

/** How often per heartbeat the event loop is checked. A blocked event loop is measured this precisely. */
const TICKS_PER_HEARTBEAT = 10;

/** A shorter invocation is not worth a document of its own. */
const REGISTER_AFTER_MS = 1_000;

/** Nothing depends on the worker's document, so it must not hold up the end of an invocation. */
const MAX_WAIT_MS = 1_000;

/** Options of a lease keeper. */
export interface KeeperOptions {
  readonly jobs: Collection<JobDocument>;
  readonly workers: Collection<WorkerDocument>;
  readonly info: WorkerInfo;
  readonly leaseMs: number;
  /** Writer whose reports are sent along with heartbeats. */
  readonly writer: Writer;
  readonly log: Logger;
  /** Called when the event loop was blocked for more than a third of the lease. */
  readonly onBlocked: (blockedMs: number) => void;
  /** Called when heartbeats are no longer late. */
  readonly onInTimeAgain: () => void;
}

/**
 * Renews all leases of a drain in one command. Aborts attempts whose lease was lost or whose job is to be cancelled. The
 * same timer keeps the document that shows this worker as alive, once the worker has lived for a second. Nothing but
 * counts and lists use that document, so its errors are only logged.
 */
export class LeaseKeeper {
  readonly #held = new Map<HeldLease, Attempt>();
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
  /** When to write the worker's document next. */
  #registerAt = Number.POSITIVE_INFINITY;
  #registering: Promise<void> | undefined;

  constructor(private readonly options: KeeperOptions) {
    this.#intervalMs = options.leaseMs / HEARTBEATS_PER_LEASE;
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
  hold(attempt: Attempt): void {
    const now = performance.now();
    if (this.#held.size === 0) {
      this.#renewedAt = attempt.askedAt;
      this.#lastHeartbeat = now;
    }
    this.#held.set(attempt.job, attempt);
    if (this.#timer) return;
    this.#tickedAt = now;
    this.#registerAt = now + REGISTER_AFTER_MS;
    this.#timer = setInterval(() => this.#tick(), this.#intervalMs / TICKS_PER_HEARTBEAT);
  }

  release({ job }: Attempt): void {
    this.#held.delete(job);
    this.#apart.delete(job);
  }

  /**
   * Renews the lease of a job, and then leaves it out of the heartbeats while `work` writes the job in a transaction: the
   * common statement would wait for that transaction, and with it all other leases.
   */
  async apart<Result>(job: ClaimedJob, work: () => Promise<Result>): Promise<Result> {
    const { jobs, leaseMs } = this.options;
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
   * Writes how a job ended in a transaction of its own. Its lease is not renewed until that has ended.
   *
   * @throws ConflictError if the lease is lost, or the job is to be cancelled
   */
  async completeIn(job: ClaimedJob, outcome: Outcome, session: ClientSession): Promise<void> {
    this.#apart.set(job, () => session.inTransaction());
    await this.#renewal;
    const settledAs = await settleInSession(this.options.jobs, settlementOf(job, outcome), session);
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
    const registering = this.#registering;
    this.#registering = undefined;
    if (registering === undefined || isCutOff) return;
    await registering;
    await this.#tryToWrite(unregisterWorker(this.options.workers, this.options.info._id));
  }

  #tick(): void {
    const now = performance.now();
    const blockedMs = now - this.#tickedAt;
    this.#tickedAt = now;
    if (blockedMs > this.#intervalMs) this.options.onBlocked(blockedMs);
    if (now >= this.#registerAt) this.#register(now);
    // Timers are slightly off, so the tick closest to the interval counts.
    if (now - this.#lastHeartbeat < this.#intervalMs * (1 - 0.5 / TICKS_PER_HEARTBEAT)) return;
    this.#lastHeartbeat = now;
    void this.#heartbeat(now);
  }

  #register(now: number): void {
    const { workers, info, leaseMs } = this.options;
    this.#registerAt = now + this.#intervalMs;
    this.#registering = this.#tryToWrite(registerWorker(workers, info, leaseMs));
  }

  async #tryToWrite(write: Promise<void>): Promise<void> {
    try {
      await withinTime(MAX_WAIT_MS, write);
    } catch (error) {
      this.options.log.warn('The document of this worker could not be written', { error: String(error) });
    }
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
      this.options.log.error('Heartbeat failed', { error: String(error) });
    } finally {
      this.#renewing = false;
    }
    if (this.#isDue) await this.#heartbeat(performance.now());
  }

  #noteRenewal(began: number): void {
    const wasLate = this.isLate;
    this.#renewedAt = Math.max(this.#renewedAt, began);
    if (wasLate) this.options.onInTimeAgain();
  }

  #isApart(lease: HeldLease): boolean {
    return this.#apart.get(lease)?.() ?? false;
  }

  /** Limits the time of a renewal, so that a dead connection does not hold up the next renewal on another one. */
  #renew(): Promise<RenewalResult> {
    const { jobs, leaseMs, writer } = this.options;
    return writer.alongside(async (reports, stored) => {
      const held = [...this.#held.keys()].filter((lease) => !this.#isApart(lease));
      const renewal = renewLeases(jobs, held, leaseMs, reports);
      this.#renewal = renewal.catch(() => {});
      const result = await withinTime(this.#intervalMs, renewal);
      if (result.renewed) stored();
      return result;
    });
  }

  /** Lets go of leases that were not renewed for a whole lease: other workers may hold these jobs by now. */
  #letGoOfExpired(now: number): void {
    for (const [lease, { askedAt }] of this.#held) {
      if (this.#isApart(lease)) continue; // Whether it is lost, the transaction finds out.
      if (now - Math.max(askedAt, this.#renewedAt) > this.options.leaseMs) this.#letGo(lease, 'lease lost');
    }
  }

  #letGo(lease: HeldLease, why: AbortReason): void {
    const attempt = this.#held.get(lease);
    this.#held.delete(lease);
    attempt?.abort(why); // Undefined if it was released during the heartbeat.
  }
}
