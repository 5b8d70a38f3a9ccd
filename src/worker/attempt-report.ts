import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { type Failure, toFailure } from '../job/failure.js';
import type { ClaimedJob } from '../job/job.js';
import type { JobContext } from '../job/job-context.js';
import { type LoggedText, toLoggedText } from '../job/log-line.js';
import { type ProgressArguments, type ReportProgress, toProgressValue } from '../job/progress.js';
import { type LeasedReport, MAX_LOG_LINES, type Report } from '../job/report.js';
import type { Secrets } from '../job/secrets.js';
import type { CursorWrite } from '../job/step-log.js';
import { toProgress } from '../job/storable.js';

/** The steps of an attempt that are to be stored along with its reports. */
export interface LateSteps {
  readonly late: readonly CursorWrite[];
  storedLate(steps: readonly CursorWrite[]): void;
}

/**
 * Keeps the progress and log lines of one attempt until they are known to be stored. Its `progress` and `log` become
 * those of the job's context.
 */
export class AttemptReport {
  #value: unknown;
  #valuesTold = 0;
  #valuesStored = 0;
  /** The newest lines that are not known to be stored. */
  #lines: { readonly text: LoggedText; readonly at: number }[] = [];
  #linesTold = 0;
  #ended = false;
  /** How many open transactions change the job. A report would conflict with them again and again. */
  #holders = 0;
  /** Set once the attempt uses steps. */
  steps: LateSteps | undefined;
  /** The values of redacted fields, which must not be told. The reports of a batch share them. Absent if there are none. */
  secrets: Secrets | undefined;

  /** @param onTold called when there is something to write. Returns a promise of the write if it happens at once */
  constructor(
    private readonly job: Pick<ClaimedJob, 'id' | 'token' | 'retryCounter'>,
    private readonly onTold: (report: AttemptReport) => Promise<void> | undefined,
  ) {}

  readonly progress: ReportProgress = async (...args: ProgressArguments) => {
    const told = toProgress(toProgressValue(...args)) ?? null;
    const value = this.secrets ? this.secrets.hideIn(told) : told;
    // Without this turn, a job that only reports would starve heartbeats, signals and other jobs.
    await (this.#told(value) ?? turnOfEventLoop());
  };

  readonly log: JobContext['log'] = (message, fields) => {
    const told = toLoggedText(message, fields);
    const text = this.secrets ? this.secrets.hideInLine(told) : told;
    if (this.#ended) return;
    this.#lines.push({ text, at: performance.now() });
    if (this.#lines.length > MAX_LOG_LINES) this.#lines.shift();
    this.#linesTold += 1;
    void this.onTold(this);
  };

  /** Returns a text without the values of redacted fields. */
  hide(text: string): string {
    return this.secrets?.hide(text) ?? text;
  }

  /** Returns an error in the form in which it is stored, without the values of redacted fields. */
  toFailure(error: unknown): Failure {
    const failure = toFailure(error);
    return this.secrets?.hideFailure(failure) ?? failure;
  }

  /** Tells that steps wait to be stored. */
  stepped(): void {
    if (!this.#ended) void this.onTold(this);
  }

  /** Holds back what is to be stored, until the returned function is called. */
  hold(): () => void {
    this.#holders += 1;
    return () => {
      this.#holders -= 1;
      if (this.#holders === 0 && !this.#ended && this.#unstored()) void this.onTold(this);
    };
  }

  /** Returns everything that is not known to be stored. Undefined if there is nothing, or if it is held back. */
  unstored(): LeasedReport | undefined {
    return this.#holders > 0 ? undefined : this.#unstored();
  }

  #unstored(): LeasedReport | undefined {
    const { id, token } = this.job;
    const report = { ...this.#unstoredProgress(), ...this.#unstoredLines(), ...this.#unstoredSteps() };
    return report.progress || report.log || report.cursors ? { id, token, report } : undefined;
  }

  /** Notes that this report is stored. */
  stored({ progress, log, cursors = [] }: Report): void {
    this.steps?.storedLate(cursors);
    this.#valuesStored = progress?.told ?? this.#valuesStored;
    const newer = log === undefined ? this.#lines.length : this.#linesTold - log.told;
    this.#lines = newer === 0 ? [] : this.#lines.slice(-newer);
  }

  /** Ignores all reports from now on and returns the unstored rest, which is written together with the outcome. */
  end(): Report | undefined {
    this.#ended = true;
    return this.#unstored()?.report;
  }

  /** Returns a promise of the write if it happens at once. */
  #told(value: unknown): Promise<void> | undefined {
    if (this.#ended) return undefined;
    this.#value = value;
    this.#valuesTold += 1;
    return this.onTold(this);
  }

  #unstoredProgress(): Pick<Report, 'progress'> {
    if (this.#valuesTold === this.#valuesStored) return {};
    return { progress: { told: this.#valuesTold, value: this.#value } };
  }

  #unstoredSteps(): Pick<Report, 'cursors'> {
    const cursors = this.steps?.late ?? [];
    return cursors.length > 0 ? { cursors } : {};
  }

  #unstoredLines(): Pick<Report, 'log'> {
    if (this.#lines.length === 0) return {};
    const now = performance.now();
    const attempt = this.job.retryCounter;
    const lines = this.#lines.map(({ text, at }) => ({ ...text, agoMs: now - at, attempt }));
    return { log: { told: this.#linesTold, lines } };
  }
}
