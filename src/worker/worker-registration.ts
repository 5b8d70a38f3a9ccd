import { withinTime } from '../mongo/within-time.js';
import type { DrainScope } from './drain-scope.js';
import { registerWorker, unregisterWorker } from './register-worker.js';

/** A shorter invocation is not worth a document of its own. */
const REGISTER_AFTER_MS = 1_000;

/** Time limit of a write. Nothing depends on the document, so it must not hold up the end of an invocation. */
const MAX_WAIT_MS = 1_000;

/**
 * The document that shows a worker as alive, once the worker has lived for a second. The document serves counts and lists
 * alone, so its errors are only logged.
 */
export class WorkerRegistration {
  /** When to write the document next, by `performance.now()`. */
  #writeAt = Number.POSITIVE_INFINITY;
  /** The last write. Undefined if there is no document. */
  #writing: Promise<void> | undefined;

  /** @param intervalMs how often to write the document */
  constructor(
    private readonly scope: DrainScope,
    private readonly intervalMs: number,
  ) {}

  /** Notes that the worker has begun to hold jobs. */
  begin(now: number): void {
    this.#writeAt = now + REGISTER_AFTER_MS;
  }

  /** Writes the document if it is time to. */
  keep(now: number): void {
    if (now < this.#writeAt) return;
    this.#writeAt = now + this.intervalMs;
    const { shared, limits, name: _id } = this.scope;
    const { queues } = shared.claimFilter();
    const info = { _id, processor: shared.name, maxThreads: limits.maxThreads, ...(queues && { queues }) };
    this.#writing = this.#tryTo(registerWorker(shared.workers, info, shared.leaseMs));
  }

  /**
   * Deletes the document.
   *
   * @param isCutOff true if the database does not answer. The document is then left to expire
   */
  async end(isCutOff: boolean): Promise<void> {
    const writing = this.#writing;
    this.#writing = undefined;
    if (writing === undefined || isCutOff) return;
    await writing;
    await this.#tryTo(unregisterWorker(this.scope.shared.workers, this.scope.name));
  }

  async #tryTo(write: Promise<void>): Promise<void> {
    try {
      await withinTime(MAX_WAIT_MS, write);
    } catch (error) {
      this.scope.log.warn('The document of this worker could not be written', { error: String(error) });
    }
  }
}
