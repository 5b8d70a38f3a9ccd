import type { Collection } from 'mongodb';
import { findNextDue } from '../job/find-next-due.js';
import type { JobDocument } from '../job/job.js';
import type { ClaimFilter } from '../job/queued-jobs.js';

/** What was learned is good for so long: a job may be added that is due earlier. */
const LOOK_AGAIN_MS = 1_000;

/** Knows when the next job will be due, and tells when it is. Its timer lives until then, or until it is closed. */
export class NextDue {
  #timer: NodeJS.Timeout | undefined;
  #looked = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** @param onDue called when a job that is known is due */
  constructor(
    private readonly jobs: Collection<JobDocument>,
    private readonly onDue: () => void,
  ) {}

  /**
   * Whether a job is known that this filter takes, and that is due within so long. None once it is closed.
   *
   * @throws what the driver throws
   */
  async isKnown(filter: ClaimFilter, withinMs: number): Promise<boolean> {
    if (performance.now() - this.#looked < LOOK_AGAIN_MS) return this.#timer !== undefined;
    this.#looked = performance.now();
    const dueInMs = await findNextDue(this.jobs, filter, withinMs);
    clearTimeout(this.#timer);
    const waits = dueInMs !== undefined && !this.#closed;
    this.#timer = waits ? setTimeout(() => this.#tell(), dueInMs + 1) : undefined;
    return waits;
  }

  /** An answer that is still to come starts no timer. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #tell(): void {
    this.#timer = undefined;
    this.#looked = Number.NEGATIVE_INFINITY;
    this.onDue();
  }
}
