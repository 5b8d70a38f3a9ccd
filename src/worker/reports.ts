import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import type { ClaimedJob, JobDocument } from '../job/job.js';
import { recordReports } from '../job/record-reports.js';
import type { LeasedReport, Report } from '../job/report.js';
import type { Logger } from '../log.js';
import { withinTime } from '../mongo/within-time.js';
import { AttemptReport } from './attempt-report.js';

/** Often enough for a person who watches. */
const INTERVAL_MS = 1_000;

/** Interval after a failed write. The unwritten reports go with a later write or with the outcome. */
const INTERVAL_AFTER_FAILURE_MS = 10_000;

/** Longest time that a job awaits the write of its report. It should not notice that the database does not answer. */
const MAX_WAIT_MS = 1_000;

/** Writes reports along with another write, and calls `stored` once the reports are known to be stored. */
export type WriteAlongside<Result> = (
  reports: readonly LeasedReport[],
  stored: () => void,
) => Promise<Result>;

/**
 * Writes the reports of all jobs of an invocation together, at most once a second, and only if there are any. If nothing
 * was written in the last second, reports of the same turn of the event loop are written at once. The last report of an
 * attempt is written when it is settled: see `AttemptReport.end`.
 */
export class Reports {
  /** Attempts with a report that is not known to be stored. */
  readonly #attempts = new Set<AttemptReport>();
  /** Set while a write is about to begin, which will include new reports. */
  #beginning: Promise<void> | undefined;
  #isWriting = false;
  #hasFailed = false;
  #notBefore = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  /** The last write made only for reports. */
  #write: Promise<void> | undefined;
  #closed = false;

  constructor(
    private readonly jobs: Collection<JobDocument>,
    private readonly log: Logger,
  ) {}

  /** Creates the report of an attempt that begins. */
  of(job: ClaimedJob): AttemptReport {
    return new AttemptReport(job, (report) => this.#told(report));
  }

  /** Ends the report of an attempt and returns the rest, to be written with the outcome. */
  end(report: AttemptReport): Report | undefined {
    this.#attempts.delete(report);
    return report.end();
  }

  /**
   * Lets `write` include the waiting reports. Passes no reports while another write is under way, nor after a failed write,
   * because reports must not spoil the main write.
   */
  async alongside<Result>(write: WriteAlongside<Result>): Promise<Result> {
    return this.#hasFailed ? write([], () => {}) : this.#writeBy(write);
  }

  /** Called when no attempt is left. Resolves when no write is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#write;
  }

  /** Returns a promise of the write if it happens at once. */
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

  /** Writes now, or later if another write has happened in between. */
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
      this.log.warn('Reports of jobs could not be written; they are tried again', { error: String(error) });
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
