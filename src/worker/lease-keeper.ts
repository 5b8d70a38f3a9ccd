import type { Collection } from 'mongodb';
import type { AbortReason } from '../errors.js';
import type { HeldLease, JobDocument } from '../job/job.js';
import { type RenewalResult, renewLeases } from '../job/renew-leases.js';
import type { Logger } from '../log.js';
import { withinTime } from '../mongo/within-time.js';
import type { Attempt } from './attempt.js';
import { registerWorker, unregisterWorker, type WorkerInfo } from './register-worker.js';
import type { WorkerDocument } from './worker-document.js';
import type { Writer } from './writer.js';

/** Renewed at a third of the lease: two heartbeats may fail before it expires. */
const HEARTBEATS_PER_LEASE = 3;

/** How often it looks whether the event loop goes on, in one interval: so exactly is it known for how long it did not. */
const TICKS_PER_HEARTBEAT = 10;

/** An invocation that is over before is nobody's concern, and need not pay for being known. */
const REGISTER_AFTER_MS = 1_000;

/** Nothing depends on the worker's document: it must not hold up an invocation that ends. */
const MAX_WAIT_MS = 1_000;

/** What a keeper works with. */
export interface KeeperOptions {
  readonly jobs: Collection<JobDocument>;
  readonly workers: Collection<WorkerDocument>;
  readonly info: WorkerInfo;
  readonly leaseMs: number;
  /** Its reports go with heartbeats. */
  readonly writer: Writer;
  readonly log: Logger;
  /** Called when the event loop was blocked for more than a third of the lease. */
  readonly onBlocked: (blockedMs: number) => void;
  /** Called when it is not late any more. */
  readonly onInTimeAgain: () => void;
}

/**
 * Renews the leases of one drain, all in one command, and aborts the attempts whose leases were lost or whose jobs are to
 * be cancelled. By the same timer it keeps the document that tells that this worker lives, once that has lasted for a
 * moment: it is there to be counted and seen, so what goes wrong with it is logged, and no more.
 */
export class LeaseKeeper {
  readonly #held = new Map<HeldLease, Attempt>();
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  /** When it last looked: then the event loop went on. */
  #ticked = 0;
  #lastHeartbeat = 0;
  #renewing = false;
  /** A heartbeat was due while the one before it was about to be given up. */
  #isDue = false;
  /** When the last renewal that succeeded began; or when the first lease was asked for. */
  #renewed = 0;
  /** When the worker's document is to be written next. */
  #registerAt = Number.POSITIVE_INFINITY;
  #registering: Promise<void> | undefined;

  constructor(private readonly options: KeeperOptions) {
    this.#intervalMs = options.leaseMs / HEARTBEATS_PER_LEASE;
  }

  /** Whether a heartbeat is missing: then leases are near their end, and nothing should be added to them. */
  get isLate(): boolean {
    return this.#held.size > 0 && performance.now() - this.#renewed > 2 * this.#intervalMs;
  }

  /** Keeps the lease of this attempt until `release`, or until it is lost or its job is to be cancelled. */
  hold(attempt: Attempt): void {
    const now = performance.now();
    if (this.#held.size === 0) {
      this.#renewed = attempt.askedAt;
      this.#lastHeartbeat = now;
    }
    this.#held.set(attempt.job, attempt);
    if (this.#timer) return;
    this.#ticked = now;
    this.#registerAt = now + REGISTER_AFTER_MS;
    this.#timer = setInterval(() => this.#tick(), this.#intervalMs / TICKS_PER_HEARTBEAT);
  }

  release({ job }: Attempt): void {
    this.#held.delete(job);
  }

  /**
   * Ends its timer, until something more is held, and takes the worker's document away.
   *
   * @param isCutOff the database does not answer: then the document is left to expire
   */
  async rest(isCutOff: boolean): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    const registering = this.#registering;
    this.#registering = undefined;
    if (registering === undefined || isCutOff) return;
    await registering;
    await this.#attempt(unregisterWorker(this.options.workers, this.options.info._id));
  }

  #tick(): void {
    const now = performance.now();
    const blockedMs = now - this.#ticked;
    this.#ticked = now;
    if (blockedMs > this.#intervalMs) this.options.onBlocked(blockedMs);
    if (now >= this.#registerAt) this.#register(now);
    // Timers are a little off: the tick that is meant is the one that comes next to the interval.
    if (now - this.#lastHeartbeat < this.#intervalMs * (1 - 0.5 / TICKS_PER_HEARTBEAT)) return;
    this.#lastHeartbeat = now;
    void this.#heartbeat(now);
  }

  #register(now: number): void {
    const { workers, info, leaseMs } = this.options;
    this.#registerAt = now + this.#intervalMs;
    this.#registering = this.#attempt(registerWorker(workers, info, leaseMs));
  }

  async #attempt(write: Promise<void>): Promise<void> {
    try {
      await withinTime(MAX_WAIT_MS, write);
    } catch (error) {
      this.options.log.warn('The document of this worker could not be written', { error: String(error) });
    }
  }

  async #heartbeat(now: number): Promise<void> {
    this.#letGoOfExpired(now);
    this.#isDue = this.#renewing;
    if (this.#renewing || this.#held.size === 0) return;
    this.#renewing = true;
    try {
      const { renewed, cancelled, lost } = await this.#renew();
      if (renewed) this.#renewedAt(now);
      for (const lease of cancelled) this.#letGo(lease, 'cancelled');
      for (const lease of lost) this.#letGo(lease, 'lease lost');
    } catch (error) {
      this.options.log.error('Heartbeat failed', { error: String(error) });
    } finally {
      this.#renewing = false;
    }
    if (this.#isDue) await this.#heartbeat(performance.now());
  }

  #renewedAt(began: number): void {
    const wasLate = this.isLate;
    this.#renewed = Math.max(this.#renewed, began);
    if (wasLate) this.options.onInTimeAgain();
  }

  /** Bounded, so that the next one, by another connection, is not held up by one that died. */
  #renew(): Promise<RenewalResult> {
    const { jobs, leaseMs, writer } = this.options;
    return writer.alongside(async (reports, stored) => {
      const renewal = renewLeases(jobs, [...this.#held.keys()], leaseMs, reports);
      const result = await withinTime(this.#intervalMs, renewal);
      if (result.renewed) stored();
      return result;
    });
  }

  /** What could not be renewed for a whole lease may be somebody else's by now, even if nobody could tell us. */
  #letGoOfExpired(now: number): void {
    for (const [lease, { askedAt }] of this.#held) {
      if (now - Math.max(askedAt, this.#renewed) > this.options.leaseMs) this.#letGo(lease, 'lease lost');
    }
  }

  #letGo(lease: HeldLease, why: AbortReason): void {
    const attempt = this.#held.get(lease);
    this.#held.delete(lease);
    attempt?.abort(why); // Undefined when it was released while the heartbeat was under way.
  }
}
