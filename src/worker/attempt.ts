import type { ClientSession } from 'mongodb';
import { type AbortReason, AttemptAbortedError, ConflictError, JobSuspended } from '../errors.js';
import { compose } from '../job/compose.js';
import type { JobFactory } from '../job/define-job.js';
import { type Failure, toFailure } from '../job/failure.js';
import type { ClaimedJob } from '../job/job.js';
import type { JobContext } from '../job/job-context.js';
import { isForGood, type Outcome } from '../job/outcome.js';
import { Secrets } from '../job/secrets.js';
import type { StepCall } from '../job/step-call.js';
import { toOutput } from '../job/storable.js';
import { catchingRejections } from '../job-rejections.js';
import type { LogFields, Logger } from '../log.js';
import { AttemptSteps } from '../step/attempt-steps.js';
import type { StepHost, StepStore } from '../step/step-host.js';
import type { AttemptEvents } from './attempt-events.js';
import type { AttemptReport } from './attempt-report.js';
import { dueSince } from './due-since.js';
import { failedOutcome, finalFailure } from './failed-outcome.js';
import { runAttempt } from './run-attempt.js';
import { AT_DEADLINE } from './stop-signal.js';
import { TimeoutClock } from './timeout-clock.js';
import type { DrainContext, DrainLimits } from './worker.js';

/** How long an attempt has to end after its timeout. A subprocess is killed after one second, well before that. */
const TIMEOUT_GRACE_MS = 2_000;

/** How long a job that newer code has begun waits before it is looked at again. */
const NEWER_CODE_MS = 10_000;

/** State of an attempt. `ended` means that its outcome is decided, `writing` that the outcome is being written. */
export type AttemptState = 'waiting' | 'running' | 'ended' | 'writing';

/** Everything that the attempts of one drain share. */
export interface AttemptOwner {
  readonly worker: DrainContext;
  readonly limits: DrainLimits;
  /** How long the drain runs in all, in milliseconds. Infinity if unknown. */
  readonly wholeTimeMs: number;
  readonly log: Logger;
  readonly events: AttemptEvents;
  readonly leases: {
    /** When the last renewal of all leases began, by `performance.now()`. */
    readonly renewedAt: number;
    /** Completes a job in a transaction of the caller. @throws as `JobContext.completeIn` does */
    completeIn(job: ClaimedJob, outcome: Outcome, session: ClientSession): Promise<void>;
  };
  /** How steps read and write. */
  readonly steps: StepStore;
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

/** An attempt at a job: its state, its signal, its timeout, and the only outcome that counts. */
export class Attempt {
  state: AttemptState = 'waiting';
  /** True if the outcome was decided while the job function was still running. */
  isAbandoned = false;
  /** Set when the attempt shares its slot and its call with others. */
  batch: SharedCall | undefined;
  readonly #clock: TimeoutClock;
  /** Made on first use: few jobs look at their signal, and making it costs a quick job more than everything else. */
  #controller: AbortController | undefined;
  #aborted: AttemptAbortedError | undefined;
  /** Made on first use. */
  #steps: AttemptSteps | undefined;
  /** The outcome of an attempt that ended between two steps. */
  #parked: Outcome | undefined;
  /** Whether the job function has ended by itself. */
  #hasReturned = false;
  /** Ends the wait for the job function, which may be anywhere. */
  #stopWaiting: (reason: unknown) => void = () => {};
  /** The outcome that the job has stored in a transaction of its own. */
  #completedIn: Outcome | undefined;
  /** Starts when the timeout is over. */
  #grace: NodeJS.Timeout | undefined;

  /**
   * @param askedAt when the claim was requested, by `performance.now()`. Another worker may have the job one lease later:
   *   the reply may be late, this process frozen, or its thread blocked by another job.
   */
  constructor(
    readonly job: ClaimedJob,
    private readonly factory: JobFactory,
    readonly report: AttemptReport,
    readonly askedAt: number,
    private readonly owner: AttemptOwner,
  ) {
    this.#clock = new TimeoutClock(factory.limits.timeoutMs, () => this.#timeOut());
    if (factory.redact) report.secrets = new Secrets(factory.redact).learn(job.input);
  }

  get hasEnded(): boolean {
    return this.state === 'ended' || this.state === 'writing';
  }

  /** Whether the job is to be cancelled, and the attempt knows. */
  get isToBeCancelled(): boolean {
    return this.#aborted?.why === 'cancelled';
  }

  /** Whether the job may have added others. */
  get hasChildren(): boolean {
    return this.job.steps?.children === true || this.#steps?.hasChildren === true;
  }

  /** How long the attempt took, or has taken so far, in milliseconds. Undefined if its function was never called. */
  get durationMs(): number | undefined {
    return this.#clock.elapsedMs;
  }

  /** How long the job had been due when its function was called, in milliseconds by this process's clock. */
  get waitedMs(): number | undefined {
    const { beganAt } = this.#clock;
    return beganAt === undefined ? undefined : beganAt - dueSince(this.job).getTime();
  }

  /** Starts the job function and returns at once. */
  begin(): void {
    this.state = 'running';
    this.owner.events.started(this.job);
    this.#clock.start();
    this.#asItsOwn(() => {
      void runAttempt(this.factory, this.job, (input) => this.#run(input)).then((outcome) =>
        this.#end(this.#outcomeThatCounts(outcome)),
      );
    });
  }

  /** Fires the signal of the attempt. */
  abort(why: AbortReason): void {
    if (this.hasEnded || this.#aborted) return;
    // Its own transaction has ended the lease. If not, that shows when the outcome is written.
    if (why === 'lease lost' && this.#completedIn) return;
    if (why !== 'stopping') this.owner.log.warn(`A running job is aborted: ${why}`, this.describe());
    const reason = new AttemptAbortedError(why);
    this.#aborted = reason;
    this.#asItsOwn(() => this.#controller?.abort(reason));
    if (why === 'lease lost') this.owner.events.lostLease(this.job);
  }

  /** Gives the job back unless it has begun. */
  decline(): void {
    if (this.state === 'waiting') this.#end({ kind: 'givenBack', atDeadline: false });
  }

  /** Leaves a job that newer code has begun to a worker with that code. */
  passOverIfNewer(): void {
    const { version = 0 } = this.job.steps ?? {};
    if (version > this.factory.version) this.#end({ kind: 'snoozed', delayMs: NEWER_CODE_MS });
  }

  /** Gives the job back although its function is still running. */
  abandon(): void {
    if (this.state === 'running') this.#abandonAs(this.#stopped);
  }

  /** Fails the attempt for a rejected promise that its function left behind. Node would end the process instead. */
  reject(reason: unknown): void {
    // Nothing but its compensations counts for a job that has failed already.
    if (this.hasEnded || this.#steps?.isUndoing) {
      const error = this.#hide(toFailure(reason).message);
      this.owner.log.warn('A promise of a job that has ended was rejected', { ...this.describe(), error });
      return;
    }
    this.abort('failed');
    this.isAbandoned = true;
    this.#end(this.#failed(unhandled(reason)));
  }

  /** Returns the fields that identify the attempt in the log. */
  describe(): LogFields {
    const { id: jobId, jobName, retryCounter: attempt } = this.job;
    return { jobId, jobName, attempt, durationMs: this.durationMs };
  }

  /**
   * Runs code of the job, such as listeners to its signal. Any rejection this code leaves behind is blamed on this
   * attempt.
   */
  #asItsOwn(call: () => void): void {
    catchingRejections((reason) => this.reject(reason), call);
  }

  /** Calls the job function inside its middleware. */
  #run(input: unknown): Promise<unknown> {
    const { job, owner, report } = this;
    report.secrets?.learn(input);
    const context = this.#contextWith(input, {});
    const { run } = owner.worker.middlewares;
    if (run.length === 0) return this.#callFunction(context);
    const { jobName, queue, metadata = {} } = job;
    const around = this.#contextWith(input, {
      jobName,
      queue,
      metadata,
      redacted: (text: string) => this.#hide(text),
    });
    return compose(run, around, () => this.#callFunction(context));
  }

  /** Calls the job function. Middleware may be slow, so the attempt may be over by then. */
  async #callFunction(context: JobContext): Promise<unknown> {
    this.#checkIn();
    if (this.batch) return this.batch.call(this, context);
    const { factory, job } = this;
    const run = factory.versions?.[job.steps?.version ?? factory.version] ?? factory.run;
    try {
      const output = await this.#unlessParked(run(context, this.#clock));
      if (!this.#steps?.isUndoing) return this.#returned(output);
    } catch (error) {
      if (this.#parked) throw error;
      if (!this.#steps?.isUndoing) throw this.#returned(error);
    }
    throw await this.#unlessParked(this.#steps.undo());
  }

  /** Awaits code of the job, but no longer once its steps have ended the attempt. */
  #unlessParked<Value>(work: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = reject;
      if (this.#parked) reject(new JobSuspended());
      work.then(resolve, reject);
    });
  }

  /** Notes that the job function has ended by itself. Steps that it left waiting no longer suspend the job. */
  #returned<Value>(value: Value): Value {
    this.#hasReturned = true;
    return value;
  }

  /** Lets a job that has failed for good undo its steps first. Its next attempt does. */
  #undoFirst(outcome: Outcome): Outcome {
    const isUndoable = this.job.steps?.undo === 'possible';
    if (outcome.kind === 'givenBack' && isUndoable) return { ...outcome, isUndoable };
    if (!isForGood(outcome, this.job)) return outcome;
    // The function may have failed before it came to its steps.
    const steps = isUndoable ? this.#stepsOfAttempt : this.#steps;
    return steps?.failedBy(outcome.failure) ?? outcome;
  }

  get #stepsOfAttempt(): AttemptSteps {
    if (this.#steps) return this.#steps;
    this.#steps = new AttemptSteps(this.#stepHost());
    this.report.steps = this.#steps;
    return this.#steps;
  }

  #stepHost(): StepHost {
    const { job, factory, owner, report } = this;
    const { worker } = owner;
    const rules = worker.stepRules();
    const attempt = this;
    return {
      job,
      factory,
      store: owner.steps,
      children: worker.children,
      timeLeft: () => this.#timeLeft(),
      wholeTimeMs: Math.min(factory.limits.timeoutMs, owner.wholeTimeMs),
      outOfTime: () => this.#outOfTime(),
      log: report.log,
      toFailure: (error) => this.#toFailure(error),
      onCursor: () => report.stepped(),
      withoutReports: (work) => this.#withoutReports(work),
      park: (outcome) => this.#park(outcome),
      callbackUrl: (step, run) => worker.callbackUrl(job.id, step, run),
      maxInPlaceMs: rules.maxInPlaceMs,
      replacement: (step) => rules.replacement?.(job.jobName, step),
      around: (step, call) => this.#aroundStep(step, call),
      onEnded: (step) => owner.events.stepEnded(job, step),
      get signal() {
        return attempt.#signal;
      },
      get hasEnded() {
        return attempt.hasEnded;
      },
    };
  }

  async #aroundStep(step: StepCall, call: () => Promise<unknown>): Promise<unknown> {
    const { step: middleware } = this.owner.worker.middlewares;
    if (middleware.length === 0) return call();
    const { id: jobId, jobName, queue, metadata = {} } = this.job;
    const redacted = (text: string) => this.#hide(text);
    return compose(middleware, { ...step, jobId, jobName, queue, metadata, redacted }, call);
  }

  async #withoutReports<Result>(work: () => Promise<Result>): Promise<Result> {
    const letGo = this.report.hold();
    try {
      return await work();
    } finally {
      letGo();
    }
  }

  /** How long the attempt may still take, in milliseconds. */
  #timeLeft(): number {
    return Math.max(0, Math.min(this.#ownTimeLeft, this.#workersTimeLeft));
  }

  /** Until the timeout of the attempt. Negative after it. */
  get #ownTimeLeft(): number {
    return this.factory.limits.timeoutMs - (this.#clock.elapsedMs ?? 0);
  }

  /** Until the worker must stop. Negative after that. */
  get #workersTimeLeft(): number {
    return this.owner.limits.stopAt - Date.now();
  }

  /** Resolves at once if the attempt's own time is over first, else when it is told to stop. */
  #outOfTime(): Promise<void> {
    if (this.#ownTimeLeft < this.#workersTimeLeft || this.#aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #park(outcome: Outcome = this.#givenBack()): void {
    if (this.hasEnded || this.#parked || this.#hasReturned) return;
    this.#parked = outcome;
    this.#stopWaiting(new JobSuspended());
  }

  /** The outcome of an attempt that is to go on in another. Whether its own time was over counts as the worker's. */
  #givenBack(): Outcome {
    const isItsOwn = this.#aborted === undefined || this.#aborted.why === 'timed out';
    return isItsOwn ? { kind: 'givenBack', atDeadline: true } : this.#stopped;
  }

  /** The outcome of an attempt whose worker has to stop. */
  get #stopped(): Outcome {
    return { kind: 'givenBack', atDeadline: this.owner.limits.stop.reason === AT_DEADLINE };
  }

  /** Whether the attempt took too long, and has stored a step, so that it repeats less next time. */
  get #isSlice(): boolean {
    return this.#aborted?.why === 'timed out' && this.#steps?.hasProgressed === true;
  }

  async #completeIn(session: ClientSession, output?: unknown): Promise<void> {
    const { factory, job, owner } = this;
    if (this.hasEnded) throw new ConflictError(job.id, `The attempt of job '${job.id}' has ended.`);
    const { value, bytes } = toOutput(await factory.parseOutput(output), job.jobName);
    const outcome = { kind: 'completed', output: value, outputBytes: bytes } as const;
    this.#steps?.requireForward();
    this.report.hold();
    await owner.leases.completeIn(job, outcome, session);
    this.#completedIn = outcome;
  }

  #contextWith<Details extends object>(input: unknown, details: Details): JobContext & Details {
    const { id: jobId, retryCounter: attempt, token } = this.job;
    const { progress, log } = this.report;
    const { processor } = this.owner.worker;
    const getSignal = () => this.#signal;
    const getSteps = () => this.#stepsOfAttempt;
    return {
      ...details,
      input,
      jobId,
      attempt,
      token,
      processor,
      progress,
      log,
      timeLeft: () => this.#timeLeft(),
      completeIn: (session, output) => this.#completeIn(session, output),
      get step() {
        return getSteps();
      },
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

  #outcomeThatCounts(outcome: Outcome): Outcome {
    if (this.#parked) return this.#parked;
    if (outcome.kind === 'completed' && this.#completedIn) return this.#completedIn;
    if (outcome.kind === 'completed') {
      try {
        this.#steps?.requireRoomFor(outcome.outputBytes);
      } catch (error) {
        return finalFailure(toFailure(error));
      }
    }
    return this.#isUnfinished(outcome) ? this.#givenBack() : this.#inTime(outcome);
  }

  /**
   * Returns whether the attempt only failed because it was told to stop. A lease lost by the worker's clock may still be
   * held by the database's clock, so giving the job back is worthwhile.
   */
  #isUnfinished(outcome: Outcome): boolean {
    const isFinal = outcome.kind === 'failed' && outcome.retryAfterMs === null;
    if ((outcome.kind === 'completed' && !this.#isSlice) || isFinal) return false;
    return this.#aborted?.why === 'stopping' || this.#aborted?.why === 'lease lost' || this.#isSlice;
  }

  /**
   * Refuses to begin if the attempt was aborted while its input was parsed, or is so late that another worker may have
   * the job.
   */
  #checkIn(): void {
    const { worker, leases } = this.owner;
    if (performance.now() - Math.max(this.askedAt, leases.renewedAt) >= worker.leaseMs)
      this.abort('lease lost');
    if (this.#aborted) throw this.#aborted;
  }

  /** Replaces any outcome after the timeout by a failure. An error is kept because it tells more. */
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
    const outcome = () => (this.#isSlice ? this.#givenBack() : this.#failed(error));
    this.#grace = setTimeout(() => this.#abandonAs(outcome()), TIMEOUT_GRACE_MS);
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
    this.owner.onEnd(this, this.#undoFirst(this.#asTold(outcome)), before);
  }

  /** Leaves the values of redacted fields out of a failure. */
  #asTold(outcome: Outcome): Outcome {
    const { secrets } = this.report;
    if (!secrets || outcome.kind !== 'failed') return outcome;
    return { ...outcome, failure: secrets.hideFailure(outcome.failure) };
  }

  #toFailure(error: unknown): Failure {
    const failure = toFailure(error);
    return this.report.secrets?.hideFailure(failure) ?? failure;
  }

  #hide(text: string): string {
    return this.report.secrets?.hide(text) ?? text;
  }
}

/**
 * Returns an error that is always retried. The error keeps the stack of the rejection, since a stack made here would only
 * show who noticed.
 */
function unhandled(reason: unknown): Error {
  const { message, stack } = toFailure(reason);
  const error = new Error(`Unhandled rejection: ${message}`, { cause: reason });
  Reflect.set(error, 'stack', stack);
  return error;
}
