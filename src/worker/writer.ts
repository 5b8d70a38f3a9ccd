import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import type { ClaimedJob, JobDocument } from '../job/job.js';
import { type Outcome, type Settlement, settlementOf } from '../job/outcome.js';
import { type SettledAs, settleJobs } from '../job/settle-jobs.js';
import type { Logger } from '../log.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { NoAnswer, withinTime } from '../mongo/within-time.js';
import type { AttemptReport } from './attempt-report.js';
import type { Pace } from './pace.js';
import { Reports, type WriteAlongside } from './reports.js';
import { unlessAborted } from './unless-aborted.js';
import { Wakeup } from './wakeup.js';

/** Other outcomes wait for a write, so that one on a connection which died without a word must not take long. */
const FIRST_TRY_MS = 1_000;

interface WaitingOutcome {
  readonly settlement: Settlement;
  readonly since: number;
  readonly onWriting: () => void;
  readonly resolve: (settledAs: SettledAs) => void;
  readonly reject: (error: unknown) => void;
}

/** What a writer works with. */
export interface WriterOptions {
  readonly jobs: Collection<JobDocument>;
  /** For so long it tries again when the database cannot be reached: later, the leases are gone. */
  readonly leaseMs: number;
  readonly pace: Pace;
  /** How many attempts are held whose outcome is not being written, those that wait for it included. */
  readonly unwritten: () => number;
  /** Once it has fired, nobody waits for an answer any more. */
  readonly end: AbortSignal;
  readonly log: Logger;
}

/**
 * Writes all that one drain has to say of its jobs: outcomes at once, or within 15 ms together with others that end then;
 * what jobs report, within a second.
 *
 * One write of outcomes is under way at a time, so that no more attempts than run at a time are between the begin and the
 * end of their write. A lone outcome waits for nobody.
 */
export class Writer {
  #waiting: WaitingOutcome[] = [];
  #isWriting = false;
  readonly #moreEnded = new Wakeup();
  readonly #reports: Reports;

  constructor(private readonly options: WriterOptions) {
    this.#reports = new Reports(options.jobs, options.log);
  }

  /** Takes down what an attempt reports. */
  reportOf(job: ClaimedJob): AttemptReport {
    return this.#reports.of(job);
  }

  /** Has `write` write the reports that wait, beside what it writes anyway. */
  alongside<Result>(write: WriteAlongside<Result>): Promise<Result> {
    return this.#reports.alongside(write);
  }

  /**
   * Writes how an attempt ended, with what is left of its report. Rejects when that could not be written: recovery ends the
   * attempt.
   *
   * @param onWriting called when its write begins
   */
  settle(
    job: ClaimedJob,
    outcome: Outcome,
    report?: AttemptReport,
    onWriting: () => void = () => {},
  ): Promise<SettledAs> {
    const left = report && this.#reports.end(report);
    const settlement = { ...settlementOf(job, outcome), ...(left && { report: left }) };
    return new Promise((resolve, reject) => {
      this.#waiting.push({ settlement, since: performance.now(), onWriting, resolve, reject });
      this.#moreEnded.wake();
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  /** No attempt is under way any more. Resolves when no write of a report is either. */
  close(): Promise<void> {
    return this.#reports.close();
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    await turnOfEventLoop();
    while (this.#waiting.length > 0) {
      await this.#gather();
      const batch = this.#waiting;
      this.#waiting = [];
      for (const { onWriting } of batch) onWriting();
      await this.#write(batch);
    }
    this.#isWriting = false;
  }

  async #gather(): Promise<void> {
    const { pace, unwritten } = this.options;
    for (;;) {
      const waitedMs = performance.now() - (this.#waiting[0]?.since ?? 0);
      const waitMs = pace.gatherMs(this.#waiting.length, waitedMs, unwritten());
      if (waitMs === 0) return;
      const timer = setTimeout(this.#moreEnded.wake, waitMs);
      await this.#moreEnded.wait();
      clearTimeout(timer);
    }
  }

  async #write(batch: readonly WaitingOutcome[]): Promise<void> {
    const { jobs, leaseMs, end } = this.options;
    try {
      const settlements = batch.map(({ settlement }) => settlement);
      const attempt = () => settleJobs(jobs, settlements);
      const write = retryWhileUnreachable(leaseMs, attempt, FIRST_TRY_MS, end);
      const results = await unlessAborted(end, withinTime(leaseMs, write));
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
