import type { Collection } from 'mongodb';
import { findNextDue } from '../job/find-next-due.js';
import type { JobDocument } from '../job/job.js';
import type { ClaimFilter } from '../job/queued-jobs.js';
import { Wakeup } from './wakeup.js';

/** What was learned of the next job is good for so long: a job may be added that is due earlier. */
const LOOK_AGAIN_MS = 1_000;

/**
 * The one thing that a drain waits for: `next` resolves at the next `wake`, at the next poll, or when the next job is due;
 * at once if one of these was since the last wait. So nothing that happens between two waits is missed.
 */
export class Alarm {
  readonly #wakeup = new Wakeup();
  readonly #poll: NodeJS.Timeout | undefined;
  #nextDue: NodeJS.Timeout | undefined;
  #looked = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** @param pollMs how often it rings by itself; never when absent */
  constructor(
    private readonly jobs: Collection<JobDocument>,
    pollMs: number | undefined,
  ) {
    if (pollMs !== undefined) this.#poll = setInterval(this.wake, pollMs);
  }

  readonly wake = (): void => this.#wakeup.wake();

  next(): Promise<void> {
    return this.#wakeup.wait();
  }

  /**
   * Whether a job that this filter takes will be due within so long; then it rings at that moment. None is once it is
   * closed.
   *
   * @throws what the driver throws
   */
  async ringsWhenDue(filter: ClaimFilter, withinMs: number): Promise<boolean> {
    if (performance.now() - this.#looked < LOOK_AGAIN_MS) return this.#nextDue !== undefined;
    this.#looked = performance.now();
    const dueInMs = await findNextDue(this.jobs, filter, withinMs);
    clearTimeout(this.#nextDue);
    const isDueSoon = dueInMs !== undefined && !this.#closed;
    this.#nextDue = isDueSoon ? setTimeout(() => this.#nextIsDue(), dueInMs + 1) : undefined;
    return isDueSoon;
  }

  /** Ends its timers. An answer that is still to come starts none. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#nextDue);
  }

  #nextIsDue(): void {
    this.#nextDue = undefined;
    this.#looked = Number.NEGATIVE_INFINITY;
    this.wake();
  }
}
