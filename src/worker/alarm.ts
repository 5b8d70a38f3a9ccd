import type { Collection } from 'mongodb';
import { findNextDue } from '../job/find-next-due.js';
import type { JobDocument } from '../job/job.js';
import type { ClaimFilter } from '../job/queued-jobs.js';
import { Wakeup } from './wakeup.js';

/** How long the answer about the next due job is reused. After that, an earlier job may have been added. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Tells a drain when to look again. `next` resolves at the next `wake`, at the next poll, or when the next job is due. It
 * resolves at once if any of these happened since the last wait, so nothing between two waits is missed.
 */
export class Alarm {
  readonly #wakeup = new Wakeup();
  readonly #poll: NodeJS.Timeout | undefined;
  #nextDue: NodeJS.Timeout | undefined;
  #looked = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** @param pollMs interval at which the alarm rings by itself, or undefined for never */
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
   * Returns whether a job that matches `filter` becomes due within `withinMs`. If so, the alarm rings at that moment.
   * Always returns false once the alarm is closed.
   *
   * @throws the driver's errors
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

  /** Stops all timers. An answer that arrives later starts none. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#nextDue);
  }

  /** Forgets what was found out about the next job, so that the next question goes to the database. */
  forget(): void {
    this.#looked = Number.NEGATIVE_INFINITY;
  }

  #nextIsDue(): void {
    this.#nextDue = undefined;
    this.forget();
    this.wake();
  }
}
