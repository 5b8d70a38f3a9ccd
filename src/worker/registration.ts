import type { Collection } from 'mongodb';
import type { Logger } from '../log.js';
import { withinTime } from '../mongo/within-time.js';
import { HEARTBEATS_PER_LEASE } from './heartbeat.js';
import { registerWorker, unregisterWorker, type WorkerInfo } from './register-worker.js';
import type { WorkerDocument } from './worker-document.js';

/** An invocation that is over before is nobody's concern, and need not pay for being known. */
const REGISTER_AFTER_MS = 1_000;

/** Nothing depends on it: it must not hold up an invocation that ends. */
const MAX_WAIT_MS = 1_000;

/**
 * Keeps the document that tells that an invocation is under way, once that has lasted for a moment. It is there to be
 * counted and seen: what goes wrong with it is logged, and no more.
 */
export class Registration {
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> | undefined;

  constructor(
    private readonly workers: Collection<WorkerDocument>,
    private readonly info: WorkerInfo,
    private readonly leaseMs: number,
    private readonly log: Logger,
  ) {}

  /** Something was claimed. */
  begin(): void {
    this.#timer ??= setTimeout(() => this.#renew(), REGISTER_AFTER_MS);
  }

  /** Nothing is left to do, until something more is claimed. @param isCutOff the database does not answer: then the document is left to expire */
  async end(isCutOff: boolean): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const renewing = this.#renewing;
    this.#renewing = undefined;
    if (renewing === undefined || isCutOff) return;
    await renewing;
    await this.#attempt(unregisterWorker(this.workers, this.info._id));
  }

  #renew(): void {
    this.#timer = setTimeout(() => this.#renew(), this.leaseMs / HEARTBEATS_PER_LEASE);
    this.#renewing = this.#attempt(registerWorker(this.workers, this.info, this.leaseMs));
  }

  async #attempt(write: Promise<void>): Promise<void> {
    try {
      await withinTime(MAX_WAIT_MS, write);
    } catch (error) {
      this.log.warn('The document of this worker could not be written', { error: String(error) });
    }
  }
}
