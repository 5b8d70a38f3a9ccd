import type { Collection } from 'mongodb';
import { type AbortReason, AttemptAbortedError } from '../errors.js';
import type { JobDocument } from '../job/job.js';
import { type HeldLease, renewLeases } from '../job/renew-leases.js';
import type { Logger } from '../log.js';

/** Renewed at a third of the lease: two heartbeats may fail before it expires. */
const HEARTBEATS_PER_LEASE = 3;

/**
 * Renews the leases of one invocation, all in one command, and fires the signals of those that were lost or
 * are to be cancelled. Its timer lives as long as something is held.
 */
export class Heartbeat {
  readonly #held = new Map<HeldLease, AbortController>();
  #timer: NodeJS.Timeout | undefined;
  #renewing = false;

  constructor(
    private readonly jobs: Collection<JobDocument>,
    private readonly leaseMs: number,
    private readonly log: Logger,
  ) {}

  /** Keeps the lease until `release`; `controller` is aborted when it is lost or its job is to be cancelled. */
  hold(lease: HeldLease, controller: AbortController): void {
    this.#held.set(lease, controller);
    this.#timer ??= setInterval(() => this.#beat(), this.leaseMs / HEARTBEATS_PER_LEASE);
  }

  release(lease: HeldLease): void {
    this.#held.delete(lease);
    if (this.#held.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #beat(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    try {
      const { cancelled, lost } = await renewLeases(this.jobs, [...this.#held.keys()], this.leaseMs);
      for (const lease of cancelled) this.#letGo(lease, 'cancelled');
      for (const lease of lost) this.#letGo(lease, 'lease lost');
    } catch (error) {
      this.log.error('Heartbeat failed', { error: String(error) });
    } finally {
      this.#renewing = false;
    }
  }

  #letGo(lease: HeldLease, why: AbortReason): void {
    const controller = this.#held.get(lease);
    if (!controller) return; // It ended while the heartbeat was under way.
    this.release(lease);
    this.log.warn(`A job's lease is not renewed: ${why}`, { jobId: lease.id });
    controller.abort(new AttemptAbortedError(why));
  }
}
