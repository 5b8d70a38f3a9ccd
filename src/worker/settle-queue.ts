import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import type { JobDocument } from '../job/job.js';
import type { Settlement } from '../job/outcome.js';
import { type SettledAs, settleJobs } from '../job/settle-jobs.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { NoAnswer, withinTime } from '../mongo/within-time.js';
import { Gathering } from './gathering.js';
import { unlessAborted } from './unless-aborted.js';

/** Other outcomes wait for a write, so that one on a connection which died without a word must not take long. */
const FIRST_TRY_MS = 1_000;

interface Waiting {
  readonly settlement: Settlement;
  readonly onWriting: () => void;
  readonly resolve: (settledAs: SettledAs) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Settles attempts, those that end together in one write: what ends in the same moment, and what ends while a write is
 * under way and so shares the next. A lone outcome waits for nobody.
 */
export class SettleQueue {
  #waiting: Waiting[] = [];
  #writing = false;
  readonly #gathering = new Gathering();
  /** Something more has ended. */
  #onEnded: () => void = () => {};

  /**
   * @param leaseMs for so long it tries again when the database cannot be reached: later, the leases are gone
   * @param running how many attempts run, those that wait for their write included
   * @param end once it has fired, nobody waits for an answer any more
   */
  constructor(
    private readonly jobs: Collection<JobDocument>,
    private readonly leaseMs: number,
    private readonly running: () => number,
    private readonly end: AbortSignal,
  ) {}

  /**
   * Resolves once it is written. Rejects when it could not be: recovery ends that attempt.
   *
   * @param onWriting called when its write begins. One write is under way at a time, so that no more attempts than run at
   *   a time are between that and the end of their write.
   */
  settle(settlement: Settlement, onWriting: () => void = () => {}): Promise<SettledAs> {
    return new Promise((resolve, reject) => {
      this.#gathering.ended(this.#waiting.length === 0);
      this.#waiting.push({ settlement, onWriting, resolve, reject });
      this.#onEnded();
      if (this.#writing) return;
      this.#writing = true;
      void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    await turnOfEventLoop();
    while (this.#waiting.length > 0) {
      await this.#gather();
      const batch = this.#waiting;
      this.#waiting = [];
      for (const { onWriting } of batch) onWriting();
      await this.#write(batch);
    }
    this.#writing = false;
  }

  async #gather(): Promise<void> {
    for (;;) {
      const waitMs = this.#gathering.waitMs(this.#waiting.length, this.running());
      if (waitMs === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#onEnded = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    try {
      const settlements = batch.map(({ settlement }) => settlement);
      const attempt = () => settleJobs(this.jobs, settlements);
      const write = retryWhileUnreachable(this.leaseMs, attempt, FIRST_TRY_MS, this.end);
      const results = await unlessAborted(this.end, withinTime(this.leaseMs, write));
      if (results === undefined)
        throw new NoAnswer('The database did not answer before the worker had to end.');
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] ?? 'stale');
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
