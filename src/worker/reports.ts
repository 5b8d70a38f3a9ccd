import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import type { ClaimedJob, JobDocument } from '../job/job.js';
import { recordReports } from '../job/record-reports.js';
import type { LeasedReport, Report } from '../job/report.js';
import type { Logger } from '../log.js';
import { withinTime } from '../mongo/within-time.js';
import { AttemptReport } from './attempt-report.js';

/** Often enough for somebody who watches. */
const INTERVAL_MS = 1_000;

/** After a write that failed: what was to be written goes with a later one, or with the outcome. */
const INTERVAL_AFTER_FAILURE_MS = 10_000;

/** A job that waits for its report to be written should not notice that the database does not answer. */
const MAX_WAIT_MS = 1_000;

/** Writes reports beside what it writes anyway, and calls `stored` once they are known to be stored. */
export type WriteAlongside<Result> = (
  reports: readonly LeasedReport[],
  stored: () => void,
) => Promise<Result>;

/**
 * Writes what the jobs of one invocation tell: all together, at most once a second, and only while there is something to
 * write. What is told in one turn of the event loop is written at once, unless something was written less than a second
 * ago. What an attempt told last is written by its settling: see `AttemptReport.end`.
 */
export class Reports {
  /** Those that told something which is not known to be stored. */
  readonly #attempts = new Set<AttemptReport>();
  /** A write is about to begin: what is told now is part of it. */
  #beginning: Promise<void> | undefined;
  #isWriting = false;
  #hasFailed = false;
  #notBefore = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  /** The last write that was made for reports alone. */
  #write: Promise<void> | undefined;
  #closed = false;

  constructor(
    private readonly jobs: Collection<JobDocument>,
    private readonly log: Logger,
  ) {}

  /** The report of an attempt that begins. */
  of(job: ClaimedJob): AttemptReport {
    return new AttemptReport(job, (report) => this.#told(report));
  }

  /** Ends the report of an attempt, and returns what is left to be written with its outcome. */
  end(report: AttemptReport): Report | undefined {
    this.#attempts.delete(report);
    return report.end();
  }

  /**
   * Has `write` write what waits, beside what it writes anyway. That is nothing while another write is under way, and
   * after one that failed: then nothing should keep it from what it does anyway.
   */
  async alongside<Result>(write: WriteAlongside<Result>): Promise<Result> {
    return this.#hasFailed ? write([], () => {}) : this.#writeBy(write);
  }

  /** No attempt is under way any more. Resolves when no write is either. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#write;
  }

  /** Resolves when it is written, if that is at once. */
  #told(report: AttemptReport): Promise<void> | undefined {
    this.#attempts.add(report);
    if (this.#beginning || this.#isWriting) return this.#beginning;
    if (performance.now() < this.#notBefore) this.#planNext();
    else this.#beginning = this.#write = this.#begin();
    return this.#beginning;
  }

  async #begin(): Promise<void> {
    await turnOfEventLoop();
    this.#beginning = undefined;
    await this.#writeAlone();
  }

  #planNext(): void {
    if (this.#timer || this.#closed || this.#attempts.size === 0) return;
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, this.#notBefore - performance.now()));
  }

  /** Another write may have come in between. */
  #tick(): void {
    this.#timer = undefined;
    if (performance.now() < this.#notBefore) this.#planNext();
    else this.#write = this.#writeAlone();
  }

  async #writeAlone(): Promise<void> {
    try {
      await this.#writeBy(async (reports, stored) => {
        if (reports.length === 0) return;
        await withinTime(MAX_WAIT_MS, recordReports(this.jobs, reports));
        stored();
      });
    } catch (error) {
      this.log.warn('What jobs report could not be written, and is tried again', { error: String(error) });
    }
  }

  async #writeBy<Result>(write: WriteAlongside<Result>): Promise<Result> {
    if (this.#isWriting || this.#attempts.size === 0) return write([], () => {});
    const sent = [...this.#attempts].map((attempt) => ({ attempt, told: attempt.unstored() }));
    const reports = sent.flatMap(({ told }) => told ?? []);
    this.#isWriting = true;
    let isStored = false;
    try {
      return await write(reports, () => {
        isStored = true;
      });
    } finally {
      this.#isWriting = false;
      this.#hasFailed = !isStored;
      this.#notBefore = performance.now() + (isStored ? INTERVAL_MS : INTERVAL_AFTER_FAILURE_MS);
      if (isStored) this.#forget(sent);
      this.#planNext();
    }
  }

  #forget(
    sent: readonly { readonly attempt: AttemptReport; readonly told: LeasedReport | undefined }[],
  ): void {
    for (const { attempt, told } of sent) {
      if (told) attempt.stored(told.report);
      if (!attempt.unstored()) this.#attempts.delete(attempt);
    }
  }
}
