import { type AbortReason, AttemptAbortedError } from '../errors.js';
import type { JobContext, JobFactory } from '../job/define-job.js';
import type { ClaimedJob } from '../job/job.js';
import { type Outcome, toFailure } from '../job/outcome.js';
import type { LogFields, Logger } from '../log.js';
import { failedOutcome } from './failed-outcome.js';
import { catchingRejections } from './job-rejections.js';
import { runAttempt } from './run-attempt.js';

/** How long an attempt has to end after its timeout. Longer than a subprocess has, which is killed after a second. */
const TIMEOUT_GRACE_MS = 2_000;

/** What an attempt needs of its invocation. */
export interface AttemptOwner {
  readonly log: Logger;
  /** Everything but the signal of the attempt's context. */
  readonly context: Omit<JobContext, 'signal'>;
  /** Whether the lease that the job was claimed with certainly lasts. */
  readonly isLeased: () => boolean;
  /** What becomes of an attempt that the invocation must stop, or that comes too late to begin. */
  readonly whenStopped: () => Outcome;
  /** Called once, with the outcome that counts; whatever comes later is ignored. */
  readonly onEnd: (attempt: RunningAttempt, outcome: Outcome) => void;
}

/** One attempt under way: its signal, its timeout, and the one outcome that counts. */
export class RunningAttempt {
  /** Its function had not returned when its outcome was decided without it. */
  isAbandoned = false;
  readonly #controller = new AbortController();
  readonly #began = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(
    readonly job: ClaimedJob,
    private readonly factory: JobFactory,
    private readonly owner: AttemptOwner,
  ) {}

  get durationMs(): number {
    return Math.round(performance.now() - this.#began);
  }

  /** Calls the function of the job; returns at once. */
  begin(): void {
    const { timeoutMs } = this.factory.limits;
    this.#timer = setTimeout(() => this.#timeOut(timeoutMs), timeoutMs);
    const context = { ...this.owner.context, signal: this.#controller.signal };
    catchingRejections(
      (reason) => this.#reject(reason),
      () => {
        void runAttempt(this.factory, this.job, context, this.owner.isLeased).then((outcome) =>
          this.#end(outcome ?? this.owner.whenStopped()),
        );
      },
    );
  }

  /** Fires the signal. */
  abort(why: AbortReason): void {
    if (this.#ended || this.#controller.signal.aborted) return;
    if (why !== 'stopping') this.owner.log.warn(`A running job is aborted: ${why}`, this.describe());
    this.#controller.abort(new AttemptAbortedError(why));
  }

  /** Decides the outcome of an attempt that has not begun. */
  decline(outcome: Outcome): void {
    this.#end(outcome);
  }

  /** Decides the outcome of an attempt that is still running. */
  abandon(outcome: Outcome): void {
    if (this.#ended) return;
    this.isAbandoned = true;
    this.owner.log.warn('A job goes on after it was told to stop', this.describe());
    this.#end(outcome);
  }

  /** For the log. */
  describe(): LogFields {
    const { id: jobId, jobName, retryCounter: attempt } = this.job;
    return { jobId, jobName, attempt, durationMs: this.durationMs };
  }

  #timeOut(timeoutMs: number): void {
    this.abort('timed out');
    const error = new Error(
      `It went on after its timeout of ${timeoutMs} ms, and after its signal had fired.`,
    );
    this.#timer = setTimeout(() => this.abandon(this.#failed(error)), TIMEOUT_GRACE_MS);
  }

  /** A promise that the function left behind was rejected: by default that would have ended the process. */
  #reject(reason: unknown): void {
    if (this.#ended) {
      this.owner.log.warn('A job that has ended left a rejection', this.describe());
      return;
    }
    this.abort('failed');
    this.isAbandoned = true;
    this.#end(
      this.#failed(new Error(`Unhandled rejection: ${toFailure(reason).message}`, { cause: reason })),
    );
  }

  #failed(error: Error): Outcome {
    return failedOutcome(error, this.job, this.factory);
  }

  #end(outcome: Outcome): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.owner.onEnd(this, outcome);
  }
}
