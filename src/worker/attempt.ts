import { type AbortReason, AttemptAbortedError } from '../errors.js';
import { compose } from '../job/compose.js';
import type { JobFactory } from '../job/define-job.js';
import { toFailure } from '../job/failure.js';
import type { ClaimedJob } from '../job/job.js';
import type { JobContext } from '../job/job-context.js';
import type { Middlewares } from '../job/middleware.js';
import type { Outcome } from '../job/outcome.js';
import { catchingRejections } from '../job-rejections.js';
import type { LogFields, Logger } from '../log.js';
import type { AttemptReport } from './attempt-report.js';
import { failedOutcome } from './failed-outcome.js';
import { runAttempt } from './run-attempt.js';
import { TimeoutClock } from './timeout-clock.js';

/** How long an attempt has to end after its timeout. Longer than a subprocess has, which is killed after a second. */
const TIMEOUT_GRACE_MS = 2_000;

/** `ended`: its outcome is decided. `writing`: and is being written. */
export type AttemptState = 'waiting' | 'running' | 'ended' | 'writing';

/** What the attempts of one drain share. */
export interface AttemptOwner {
  readonly log: Logger;
  readonly leaseMs: number;
  readonly processor: JobContext['processor'];
  /** What is done around the functions of jobs. */
  readonly middlewares: Middlewares;
  /** The outcome of an attempt that has to stop, or that comes too late to begin. */
  whenStopped(): Outcome;
  /** Called when it is known that another worker may have the job. */
  onLost(attempt: Attempt): void;
  /** Called once, with the outcome that counts, and the state before; whatever comes later is ignored. */
  onEnd(attempt: Attempt, outcome: Outcome, before: AttemptState): void;
}

/** One attempt at a job: its state, its signal, its timeout, and the one outcome that counts. */
export class Attempt {
  state: AttemptState = 'waiting';
  /** Its function had not returned when its outcome was decided without it. */
  isAbandoned = false;
  readonly #clock: TimeoutClock;
  /** Made when it is asked for: few jobs look at their signal, and it costs more than all else about a quick job. */
  #controller: AbortController | undefined;
  #aborted: AttemptAbortedError | undefined;
  /** Runs once the timeout is over. */
  #grace: NodeJS.Timeout | undefined;

  /**
   * @param askedAt when the claim was asked for, by `performance.now()`: a lease after that, another worker may have the
   *   job. The claim's reply may come so late, this process may have been frozen, or another job may have blocked it.
   */
  constructor(
    readonly job: ClaimedJob,
    private readonly factory: JobFactory,
    readonly report: AttemptReport,
    readonly askedAt: number,
    private readonly owner: AttemptOwner,
  ) {
    this.#clock = new TimeoutClock(factory.limits.timeoutMs, () => this.#timeOut());
  }

  get hasEnded(): boolean {
    return this.state === 'ended' || this.state === 'writing';
  }

  /** How long it took, or has so far; undefined when its function was not called. */
  get durationMs(): number | undefined {
    return this.#clock.elapsedMs;
  }

  /** Calls the function of the job; returns at once. */
  begin(): void {
    this.state = 'running';
    this.#clock.start();
    this.#asItsOwn(() => {
      void runAttempt(this.factory, this.job, (input) => this.#run(input)).then((outcome) =>
        this.#end(this.#isUnfinished(outcome) ? this.owner.whenStopped() : this.#inTime(outcome)),
      );
    });
  }

  /** Fires the signal. */
  abort(why: AbortReason): void {
    if (this.hasEnded || this.#aborted) return;
    if (why !== 'stopping') this.owner.log.warn(`A running job is aborted: ${why}`, this.describe());
    const reason = new AttemptAbortedError(why);
    this.#aborted = reason;
    this.#asItsOwn(() => this.#controller?.abort(reason));
    if (why === 'lease lost') this.owner.onLost(this);
  }

  /** Gives it back unless it has begun. */
  decline(): void {
    if (this.state === 'waiting') this.#end({ kind: 'givenBack', atDeadline: false });
  }

  /** Gives it back though its function goes on. */
  abandon(): void {
    if (this.state === 'running') this.#abandonAs(this.owner.whenStopped());
  }

  /** For the log. */
  describe(): LogFields {
    const { id: jobId, jobName, retryCounter: attempt } = this.job;
    return { jobId, jobName, attempt, durationMs: this.durationMs };
  }

  /** Calls code of the job, its listeners to the signal included, wherever the call comes from: what it leaves rejected is its own. */
  #asItsOwn(call: () => void): void {
    catchingRejections((reason) => this.#reject(reason), call);
  }

  /** Calls the function of the job, with middleware around it. That may take long: the attempt may be over by then. */
  async #run(input: unknown): Promise<unknown> {
    const { factory, job, owner } = this;
    const context = this.#contextWith(input);
    const call = async () => {
      this.#checkIn();
      return factory.run(context, this.#clock);
    };
    const { run } = owner.middlewares;
    if (run.length === 0) return call();
    const { jobName, queue, metadata = {} } = job;
    return compose(run, { ...context, jobName, queue, metadata }, call);
  }

  #contextWith(input: unknown): JobContext {
    const { id: jobId, retryCounter: attempt, token } = this.job;
    const { progress, log } = this.report;
    const { processor } = this.owner;
    const getSignal = () => this.#signal;
    return {
      input,
      jobId,
      attempt,
      token,
      processor,
      progress,
      log,
      get signal() {
        return getSignal();
      },
    };
  }

  get #signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort(this.#aborted);
    return this.#controller.signal;
  }

  /**
   * What is thrown by an attempt that was told to stop says only that. A lease that is lost by the worker's own clock may
   * still be held by the database's: it is worth giving back.
   */
  #isUnfinished(outcome: Outcome): boolean {
    const isFinal = outcome.kind === 'failed' && outcome.retryAfterMs === null;
    if (outcome.kind === 'completed' || isFinal) return false;
    return this.#aborted?.why === 'stopping' || this.#aborted?.why === 'lease lost';
  }

  /** What was aborted while its input was parsed, or comes so late that somebody else may have the job, is not begun. */
  #checkIn(): void {
    if (performance.now() - this.askedAt >= this.owner.leaseMs) this.abort('lease lost');
    if (this.#aborted) throw this.#aborted;
  }

  /** What came after the timeout does not count, unless it is an error, which tells more. */
  #inTime(outcome: Outcome): Outcome {
    const { lateMs } = this.#clock;
    if (outcome.kind === 'failed' || lateMs === 0) return outcome;
    const { timeoutMs } = this.factory.limits;
    const late = `${lateMs} ms after its timeout of ${timeoutMs} ms`;
    return this.#failed(new Error(`It ended ${late}, and that counts as a failure.`));
  }

  #timeOut(): void {
    this.abort('timed out');
    const error = new Error(
      `It went on after its timeout of ${this.factory.limits.timeoutMs} ms, and after its signal had fired.`,
    );
    this.#grace = setTimeout(() => this.#abandonAs(this.#failed(error)), TIMEOUT_GRACE_MS);
  }

  /** A promise that the function left behind was rejected: by default that would have ended the process. */
  #reject(reason: unknown): void {
    if (this.hasEnded) {
      const error = toFailure(reason).message;
      this.owner.log.warn('A job that has ended left a rejection', { ...this.describe(), error });
      return;
    }
    this.abort('failed');
    this.isAbandoned = true;
    this.#end(this.#failed(unhandled(reason)));
  }

  #abandonAs(outcome: Outcome): void {
    if (this.hasEnded) return;
    this.isAbandoned = true;
    this.owner.log.warn('A job goes on after it was told to stop', this.describe());
    this.#end(outcome);
  }

  #failed(error: Error): Outcome {
    return failedOutcome(error, this.job, this.factory);
  }

  #end(outcome: Outcome): void {
    if (this.hasEnded) return;
    const before = this.state;
    this.state = 'ended';
    this.#clock.end();
    clearTimeout(this.#grace);
    this.owner.onEnd(this, outcome, before);
  }
}

/** Retried whatever it is. Its stack is that of what was rejected: ours would only tell who noticed it. */
function unhandled(reason: unknown): Error {
  const { message, stack } = toFailure(reason);
  const error = new Error(`Unhandled rejection: ${message}`, { cause: reason });
  Reflect.set(error, 'stack', stack);
  return error;
}
