import { type AbortReason, AttemptAbortedError } from '../errors.js';
import { compose } from '../job/compose.js';
import type { JobContext, JobFactory } from '../job/define-job.js';
import { toFailure } from '../job/failure.js';
import type { ClaimedJob } from '../job/job.js';
import type { Middlewares } from '../job/middleware.js';
import type { Outcome } from '../job/outcome.js';
import { catchingRejections } from '../job-rejections.js';
import type { LogFields, Logger } from '../log.js';
import { failedOutcome } from './failed-outcome.js';
import { runAttempt } from './run-attempt.js';
import { TimeoutClock } from './timeout-clock.js';

/** How long an attempt has to end after its timeout. Longer than a subprocess has, which is killed after a second. */
const TIMEOUT_GRACE_MS = 2_000;

/** `ended`: its outcome is decided. `writing`: and is being written. */
export type AttemptState = 'waiting' | 'running' | 'ended' | 'writing';

/** What an attempt needs of its drain. */
export interface AttemptOwner {
  readonly log: Logger;
  readonly leaseMs: number;
  /** What is done around its function. */
  readonly middleware: Middlewares['run'];
  /** Everything in the attempt's context except its signal. */
  readonly context: Omit<JobContext, 'signal'>;
  /** The outcome of an attempt that has to stop, or that comes too late to begin. */
  readonly whenStopped: () => Outcome;
  /** Called when it is known that another worker may have the job. */
  readonly onLost: (attempt: Attempt) => void;
  /** Called once, with the outcome that counts, and the state before; whatever comes later is ignored. */
  readonly onEnd: (attempt: Attempt, outcome: Outcome, before: AttemptState) => void;
}

/** One attempt at a job: its state, its signal, its timeout, and the one outcome that counts. */
export class Attempt {
  state: AttemptState = 'waiting';
  /** Its function had not returned when its outcome was decided without it. */
  isAbandoned = false;
  /** Somebody was told that its lease is lost. */
  isKnownAsLost = false;
  readonly #controller = new AbortController();
  readonly #clock: TimeoutClock;
  /** Runs once the timeout is over. */
  #grace: NodeJS.Timeout | undefined;

  /**
   * @param askedAt when the claim was asked for, by `performance.now()`: a lease after that, another worker may have the
   *   job. The claim's reply may come so late, this process may have been frozen, or another job may have blocked it.
   */
  constructor(
    readonly job: ClaimedJob,
    private readonly factory: JobFactory,
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
    const context = { ...this.owner.context, signal: this.#controller.signal };
    this.#asItsOwn(() => {
      const run = this.#runner();
      void runAttempt(this.factory, this.job, context, run).then((outcome) =>
        this.#end(outcome ? this.#inTime(outcome) : this.owner.whenStopped()),
      );
    });
  }

  /** Calls the function of the job, with middleware around it. That may take long: the attempt may be over by then. */
  #runner(): (context: JobContext) => Promise<unknown> {
    const { factory, job, owner } = this;
    return async (given) => {
      const call = async () => {
        this.#checkIn();
        return factory.run(given, this.#clock);
      };
      if (owner.middleware.length === 0) return call();
      const { jobName, queue, metadata = {} } = job;
      return compose(owner.middleware, { ...given, jobName, queue, metadata }, call);
    };
  }

  /** Fires the signal. */
  abort(why: AbortReason): void {
    if (this.hasEnded || this.#controller.signal.aborted) return;
    if (why !== 'stopping') this.owner.log.warn(`A running job is aborted: ${why}`, this.describe());
    this.#asItsOwn(() => this.#controller.abort(new AttemptAbortedError(why)));
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

  /** What was aborted while its input was parsed, or comes so late that somebody else may have the job, is not begun. */
  #checkIn(): void {
    if (performance.now() - this.askedAt >= this.owner.leaseMs) this.abort('lease lost');
    this.#controller.signal.throwIfAborted();
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
