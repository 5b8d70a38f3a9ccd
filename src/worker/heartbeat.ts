import type { Collection } from 'mongodb';
import type { AbortReason } from '../errors.js';
import type { JobDocument } from '../job/job.js';
import { type HeldLease, type RenewalResult, renewLeases } from '../job/renew-leases.js';
import type { Logger } from '../log.js';
import { withinTime } from '../mongo/within-time.js';
import type { Reports } from './reports.js';

/** Renewed at a third of the lease: two heartbeats may fail before it expires. */
export const HEARTBEATS_PER_LEASE = 3;

/** How often it looks whether the event loop goes on, in one interval: so exactly is it known for how long it did not. */
const LOOKS_PER_INTERVAL = 10;

/** Called when a lease is not renewed any more. */
type OnLetGo = (why: AbortReason) => void;

/**
 * Renews the leases of one invocation, all in one command, and tells of those that were lost or whose jobs are to
 * be cancelled. Its timer lives as long as something is held.
 */
export class Heartbeat {
  readonly #held = new Map<HeldLease, { readonly since: number; readonly onLetGo: OnLetGo }>();
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #renewing = false;
  /** When the last renewal that succeeded began; or when the first lease was asked for. */
  #renewed = 0;
  #watch: NodeJS.Timeout | undefined;
  /** When the event loop was last seen to go on. */
  #seen = 0;

  /**
   * @param onBlocked called when the event loop was blocked for more than a third of the lease
   * @param onInTimeAgain called when it is not late any more
   */
  constructor(
    private readonly jobs: Collection<JobDocument>,
    private readonly leaseMs: number,
    private readonly reports: Reports,
    private readonly log: Logger,
    private readonly onBlocked: (blockedMs: number) => void,
    private readonly onInTimeAgain: () => void,
  ) {
    this.#intervalMs = leaseMs / HEARTBEATS_PER_LEASE;
  }

  /** Whether a heartbeat is missing: then leases are near their end, and nothing should be added to them. */
  get isLate(): boolean {
    return this.#timer !== undefined && performance.now() - this.#renewed > 2 * this.#intervalMs;
  }

  /**
   * Keeps the lease until `release`, or until it is lost or its job is to be cancelled.
   *
   * @param since when it was asked for, by `performance.now()`: its time may count from then
   */
  hold(lease: HeldLease, since: number, onLetGo: OnLetGo): void {
    this.#held.set(lease, { since, onLetGo });
    if (this.#timer) return;
    this.#renewed = since;
    this.#seen = performance.now();
    this.#watch = setInterval(() => this.#look(), this.#intervalMs / LOOKS_PER_INTERVAL);
    this.#timer = setInterval(() => this.#beat(), this.#intervalMs);
  }

  release(lease: HeldLease): void {
    this.#held.delete(lease);
    if (this.#held.size > 0) return;
    clearInterval(this.#watch);
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The first timer after a block: what blocked has had no time to be settled. */
  #look(): void {
    const now = performance.now();
    const blockedMs = now - this.#seen;
    this.#seen = now;
    if (blockedMs > this.#intervalMs) this.onBlocked(blockedMs);
  }

  async #beat(): Promise<void> {
    const now = performance.now();
    this.#letGoOfExpired(now);
    if (this.#renewing || this.#held.size === 0) return;
    this.#renewing = true;
    try {
      const { renewed, cancelled, lost } = await this.#renew();
      if (renewed) this.#renewedAt(now);
      for (const lease of cancelled) this.#letGo(lease, 'cancelled');
      for (const lease of lost) this.#letGo(lease, 'lease lost');
    } catch (error) {
      this.log.error('Heartbeat failed', { error: String(error) });
    } finally {
      this.#renewing = false;
    }
  }

  #renewedAt(began: number): void {
    const wasLate = this.isLate;
    this.#renewed = began;
    if (wasLate) this.onInTimeAgain();
  }

  /** Bounded, so that the next beat, by another connection, is not held up by one that died. */
  #renew(): Promise<RenewalResult> {
    return this.reports.alongside(async (reports, stored) => {
      const renewal = renewLeases(this.jobs, [...this.#held.keys()], this.leaseMs, reports);
      const result = await withinTime(this.#intervalMs, renewal);
      if (result.renewed) stored();
      return result;
    });
  }

  /** What could not be renewed for a whole lease may be somebody else's by now, even if nobody could tell us. */
  #letGoOfExpired(now: number): void {
    for (const [lease, { since }] of this.#held) {
      if (now - Math.max(since, this.#renewed) > this.leaseMs) this.#letGo(lease, 'lease lost');
    }
  }

  #letGo(lease: HeldLease, why: AbortReason): void {
    const held = this.#held.get(lease);
    this.release(lease);
    held?.onLetGo(why); // Undefined when it was released while the heartbeat was under way.
  }
}
