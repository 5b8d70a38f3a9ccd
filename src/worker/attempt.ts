import { type AbortReason, AttemptAbortedError } from '../errors.js';
import type { JobFactory } from '../job/define-job.js';
import type { ClaimedJob } from '../job/job.js';
import type { JobContext } from '../job/job-context.js';
import { isForGood, type Outcome, unbegun } from '../job/outcome.js';
import { Secrets } from '../job/secrets.js';
import { catchingRejections } from '../job-rejections.js';
import type { LogFields } from '../log.js';
import type { AttemptReport } from './attempt-report.js';
import { dueSince } from './due-since.js';
import { type CallingAttempt, type CallScope, JobCall } from './job-call.js';
import { rejected, stopped, timedOut } from './outcome-that-counts.js';
import { AT_DEADLINE } from './stop-signal.js';
import { TimeoutClock } from './timeout-clock.js';

/** How long an attempt has to end after its timeout. A subprocess is killed after one second, well before that. */
const TIMEOUT_GRACE_MS = 2_000;

/** How long a job that newer code has begun waits before it is looked at again. */
const NEWER_CODE_MS = 10_000;

/** State of an attempt. `ended` means that its outcome is decided, `writing` that the outcome is being written. */
export type AttemptState = 'waiting' | 'running' | 'ended' | 'writing';

/** Everything that the attempts of one drain share. */
export interface AttemptScope extends CallScope {
  /** Called once, with the outcome that counts and the state before it. Later outcomes are ignored. */
  onEnd(attempt: Attempt, outcome: Outcome, before: AttemptState): void;
}

/** A call of the job function that attempts share, and the slot that it takes. See batch.ts. */
export interface SharedCall {
  /** Returns the output of the attempt's job. */
  call(attempt: Attempt, context: JobContext): Promise<unknown>;
  /** Removes an attempt that has ended. Returns whether it was the last. */
  remove(attempt: Attempt): boolean;
}

/** The life of an attempt at a job: its state, its signal, its timeout, and the only outcome that counts. */
export class Attempt implements CallingAttempt {
  state: AttemptState = 'waiting';
  /** True if the outcome was decided while the job function was still running. */
  isAbandoned = false;
  /** Set when the attempt shares its slot and its call with others. */
  batch: SharedCall | undefined;
  readonly #clock: TimeoutClock;
  /** Made when the attempt begins. */
  #call: JobCall | undefined;
  /** Made on first use: few jobs look at their signal, and making it costs a quick job more than everything else. */
  #controller: AbortController | undefined;
  #aborted: AttemptAbortedError | undefined;
  /** Starts when the timeout is over. */
  #grace: NodeJS.Timeout | undefined;

  /**
   * @param askedAt when the claim was requested, by `performance.now()`. Another worker may have the job one lease later:
   *   the reply may be late, this process frozen, or its thread blocked by another job.
   */
  constructor(
    readonly job: ClaimedJob,
    readonly factory: JobFactory,
    readonly report: AttemptReport,
    readonly askedAt: number,
    private readonly scope: AttemptScope,
  ) {
    this.#clock = new TimeoutClock(factory.limits.timeoutMs, () => this.#timeOut());
    if (factory.redact) report.secrets = new Secrets(factory.redact).learn(job.input);
  }

  get hasEnded(): boolean {
    return this.state === 'ended' || this.state === 'writing';
  }

  get abortedFor(): AbortReason | undefined {
    return this.#aborted?.why;
  }

  get isAtDeadline(): boolean {
    return this.scope.limits.stop.reason === AT_DEADLINE;
  }

  get hasProgressed(): boolean {
    return this.#call?.hasProgressed === true;
  }

  get lateMs(): number {
    return this.#clock.lateMs;
  }

  /** Whether the job may have added others. */
  get hasChildren(): boolean {
    return this.job.steps?.children === true || this.#call?.hasChildren === true;
  }

  /** How long the attempt took, or has taken so far, in milliseconds. Undefined if its function was never called. */
  get durationMs(): number | undefined {
    return this.#clock.elapsedMs;
  }

  /** How long the job had been due when its function was called, in milliseconds by this process's clock. */
  get waitedMs(): number | undefined {
    const { beganAt } = this.#clock;
    return beganAt === undefined ? undefined : Math.round(beganAt - dueSince(this.job).getTime());
  }

  /** Starts the job function and returns at once. */
  begin(): void {
    this.state = 'running';
    this.scope.events.started(this.job);
    this.#clock.start();
    const call = new JobCall(this, this.scope);
    this.#call = call;
    this.#asItsOwn(() => {
      void call.run().then((outcome) => this.#end(outcome));
    });
  }

  /** Calls the job's function, or takes part in the call of its batch. Throws if slow middleware has made that too late. */
  callFunction(context: JobContext): Promise<unknown> {
    this.#checkIn();
    if (this.batch) return this.batch.call(this, context);
    const { factory, job } = this;
    const run = factory.versions?.[job.steps?.version ?? factory.version] ?? factory.run;
    return run(context, this.#clock);
  }

  /** Fires the signal of the attempt. */
  abort(why: AbortReason): void {
    if (this.hasEnded || this.#aborted) return;
    // Its own transaction has ended the lease. If not, that shows when the outcome is written.
    if (why === 'lease lost' && this.#call?.isCompletedIn) return;
    if (why !== 'stopping') this.scope.log.warn(`A running job is aborted: ${why}`, this.describe());
    const reason = new AttemptAbortedError(why);
    this.#aborted = reason;
    this.#asItsOwn(() => this.#controller?.abort(reason));
    if (why === 'lease lost') this.scope.events.lostLease(this.job);
  }

  /** Gives the job back unless it has begun. */
  decline(): void {
    if (this.state === 'waiting') this.#end(unbegun);
  }

  /** Leaves a job that newer code has begun to a worker with that code. */
  passOverIfNewer(): void {
    const { version = 0 } = this.job.steps ?? {};
    if (version > this.factory.version) this.#end({ kind: 'snoozed', delayMs: NEWER_CODE_MS });
  }

  /** Gives the job back although its function is still running. */
  abandon(): void {
    if (this.state === 'running') this.#abandonAs(stopped(this));
  }

  /** Fails the attempt for a rejected promise that its function left behind. Node would end the process instead. */
  reject(reason: unknown): void {
    // Nothing but its compensations counts for a job that has failed already.
    if (this.hasEnded || this.#call?.isUndoing) {
      const error = this.report.toFailure(reason).message;
      this.scope.log.warn('A promise of a job that has ended was rejected', { ...this.describe(), error });
      return;
    }
    this.abort('failed');
    this.isAbandoned = true;
    this.#end(rejected(this, reason));
  }

  /** Returns the fields that identify the attempt in the log. */
  describe(): LogFields {
    const { id: jobId, jobName, retryCounter: attempt } = this.job;
    return { jobId, jobName, attempt, durationMs: this.durationMs };
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort(this.#aborted);
    return this.#controller.signal;
  }

  /** How long the attempt may still take, in milliseconds. */
  timeLeft(): number {
    return Math.max(0, Math.min(this.#clock.leftMs, this.#workersTimeLeft));
  }

  /** Resolves when the attempt is told to stop. Resolves at once if its own time ends before the worker's. */
  outOfTime(): Promise<void> {
    if (this.#clock.leftMs < this.#workersTimeLeft || this.#aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Milliseconds until the worker must stop. Negative after that. */
  get #workersTimeLeft(): number {
    return this.scope.limits.stopAt - Date.now();
  }

  /**
   * Refuses to begin if the attempt was aborted while its input was parsed, or is so late that another worker may have
   * the job.
   */
  #checkIn(): void {
    const { shared, leases } = this.scope;
    if (performance.now() - Math.max(this.askedAt, leases.renewedAt) >= shared.leaseMs)
      this.abort('lease lost');
    if (this.#aborted) throw this.#aborted;
  }

  /**
   * Runs code of the job, such as listeners to its signal. Any rejection this code leaves behind is blamed on this
   * attempt.
   */
  #asItsOwn(call: () => void): void {
    catchingRejections((reason) => this.reject(reason), call);
  }

  #timeOut(): void {
    this.abort('timed out');
    this.#grace = setTimeout(() => this.#abandonAs(timedOut(this)), TIMEOUT_GRACE_MS);
  }

  #abandonAs(outcome: Outcome): void {
    if (this.hasEnded) return;
    this.isAbandoned = true;
    this.scope.log.warn('A job goes on after it was told to stop', this.describe());
    this.#end(outcome);
  }

  #end(outcome: Outcome): void {
    if (this.hasEnded) return;
    const before = this.state;
    this.state = 'ended';
    this.#clock.end();
    clearTimeout(this.#grace);
    this.scope.onEnd(this, this.#undoFirst(this.#asTold(outcome)), before);
  }

  /** Leaves the values of redacted fields out of a failure. */
  #asTold(outcome: Outcome): Outcome {
    const { secrets } = this.report;
    if (!secrets || outcome.kind !== 'failed') return outcome;
    return { ...outcome, failure: secrets.hideFailure(outcome.failure) };
  }

  /** Lets the next attempt undo the steps of a job that has failed for good. */
  #undoFirst(outcome: Outcome): Outcome {
    const isUndoable = this.job.steps?.undo === 'possible';
    if (outcome.kind === 'givenBack' && isUndoable) return { ...outcome, isUndoable };
    return (isForGood(outcome, this.job) && this.#call?.undoFirst(outcome)) || outcome;
  }
}
