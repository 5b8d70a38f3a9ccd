import type { ClientSession } from 'mongodb';
import { isKind } from '../brand.js';
import { ConflictError, JobSuspended, SchemaFailedError } from '../errors.js';
import { compose } from '../job/compose.js';
import { toFailure } from '../job/failure.js';
import { type LimitsOfJob, limitsOf, unmetLimits } from '../job/flow-rules.js';
import type { ClaimedJob } from '../job/job.js';
import type { JobContext } from '../job/job-context.js';
import type { Failed, Outcome } from '../job/outcome.js';
import type { StepCall } from '../job/step-call.js';
import { toOutput } from '../job/storable.js';
import { nameOf } from '../mongo/driver-error.js';
import { AttemptSteps } from '../step/attempt-steps.js';
import type { StepHost, SteppingAttempt, StepStore } from '../step/step-host.js';
import type { AttemptEvents } from './attempt-events.js';
import type { AttemptReport } from './attempt-report.js';
import type { DrainScope } from './drain-scope.js';
import { failedOutcome, finalFailure } from './failed-outcome.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { type JudgedAttempt, outcomeThatCounts, unfinished } from './outcome-that-counts.js';

/** The part of an attempt that its call needs. */
export interface CallingAttempt extends SteppingAttempt, JudgedAttempt {
  readonly report: AttemptReport;
  /** Calls the function of the job. @throws AttemptAbortedError if it is too late to begin, and what the function throws */
  callFunction(context: JobContext): Promise<unknown>;
}

/** Parts that the calls of one drain share. */
export interface CallScope extends DrainScope {
  /** How long the drain runs in all, in milliseconds. Infinity if unknown. */
  readonly wholeTimeMs: number;
  readonly events: AttemptEvents;
  readonly leases: LeaseKeeper;
  /** How steps read and write. */
  readonly steps: StepStore;
}

/**
 * One call of a job's function, with its middleware and steps. Prepares what the function is given, and returns how the
 * call ended.
 */
export class JobCall {
  /** Made on first use. */
  #steps: AttemptSteps | undefined;
  /** The outcome of a call that ended between two steps. */
  #parked: Outcome | undefined;
  /** Whether the job function has ended by itself. */
  #hasReturned = false;
  /** Ends the wait for the job function, which may be anywhere. */
  #stopWaiting: (reason: unknown) => void = () => {};
  /** The outcome that the job has stored in a transaction of its own. */
  #completedIn: Outcome | undefined;

  constructor(
    private readonly attempt: CallingAttempt,
    private readonly scope: CallScope,
  ) {}

  /**
   * Makes the call in stages: parses the input, calls the function, validates the returned value. Returns the outcome that
   * counts. Never rejects: an error becomes the outcome.
   *
   * An invalid input or output would be invalid again, so the job is not retried. If the schema did not answer in time, it
   * is.
   */
  async run(): Promise<Outcome> {
    const { factory, job } = this.attempt;
    let isValidating = true;
    try {
      const input = await factory.parseInput(job.input);
      if (factory.flow) requireSlots(job, limitsOf(factory.name, factory.flow, input));
      isValidating = false;
      const returned = await this.#callInside(input);
      isValidating = true;
      const { value, bytes } = toOutput(await factory.parseOutput(returned), factory.name);
      if (!this.#parked && !this.#completedIn) this.#steps?.requireRoomFor(bytes);
      const completed = { kind: 'completed', output: value, outputBytes: bytes } as const;
      // What the job has stored or decided by itself counts even if it is late, or was told to stop.
      return this.#parked ?? this.#completedIn ?? outcomeThatCounts(this.attempt, completed);
    } catch (error) {
      if (this.#parked) return this.#parked;
      const isFinal = isValidating && !isUnanswered(error) && !(error instanceof LimitsChangedError);
      const failed = isFinal ? finalFailure(toFailure(error)) : failedOutcome(error, job, factory);
      return outcomeThatCounts(this.attempt, failed);
    }
  }

  /** Whether the job has completed itself in a transaction of its own. */
  get isCompletedIn(): boolean {
    return this.#completedIn !== undefined;
  }

  /** Whether the job has failed for good, and its steps are being undone. */
  get isUndoing(): boolean {
    return this.#steps?.isUndoing === true;
  }

  /** Whether the job may have added others. */
  get hasChildren(): boolean {
    return this.#steps?.hasChildren === true;
  }

  /** Whether a step or a cursor was stored, or is to be. */
  get hasProgressed(): boolean {
    return this.#steps?.hasProgressed === true;
  }

  /**
   * Returns the outcome that replaces a failure for good, so that the next attempt undoes the steps. Undefined if there are
   * none.
   */
  undoFirst({ failure }: Failed): Outcome | undefined {
    // The function may have failed before it came to its steps.
    const steps = this.attempt.job.steps?.undo === 'possible' ? this.#stepsOfCall : this.#steps;
    return steps?.failedBy(failure);
  }

  /** Calls the job function inside its middleware. */
  #callInside(input: unknown): Promise<unknown> {
    const { job, report } = this.attempt;
    report.secrets?.learn(input);
    const context = this.#contextWith(input, {});
    const { run } = this.scope.shared.middlewares;
    if (run.length === 0) return this.#call(context);
    const { jobName, queue, metadata = {} } = job;
    const redacted = (text: string) => report.hide(text);
    const around = this.#contextWith(input, { jobName, queue, metadata, redacted });
    return compose(run, around, () => this.#call(context));
  }

  /** Calls the job function, or undoes its steps once it has failed for good. */
  async #call(context: JobContext): Promise<unknown> {
    try {
      const output = await this.#unlessParked(this.attempt.callFunction(context));
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

  #park(outcome: Outcome = unfinished(this.attempt)): void {
    if (this.attempt.hasEnded || this.#parked || this.#hasReturned) return;
    this.#parked = outcome;
    this.#stopWaiting(new JobSuspended());
  }

  get #stepsOfCall(): AttemptSteps {
    if (this.#steps) return this.#steps;
    this.#steps = new AttemptSteps(this.#stepHost());
    this.attempt.report.steps = this.#steps;
    return this.#steps;
  }

  #stepHost(): StepHost {
    const { attempt, scope } = this;
    const { job, factory, report } = attempt;
    const { children, callbackUrl, stepRules } = scope.shared;
    const { maxInPlaceMs, replacement } = stepRules();
    return {
      attempt,
      report,
      store: scope.steps,
      children,
      wholeTimeMs: Math.min(factory.limits.timeoutMs, scope.wholeTimeMs),
      maxInPlaceMs,
      replacement: (step) => replacement?.(job.jobName, step),
      around: (step, call) => this.#aroundStep(step, call),
      onEnded: (step) => scope.events.stepEnded(job, step),
      park: (outcome) => this.#park(outcome),
      callbackUrl: (step, run) => callbackUrl(job.id, step, run),
    };
  }

  async #aroundStep(step: StepCall, call: () => Promise<unknown>): Promise<unknown> {
    const { step: middleware } = this.scope.shared.middlewares;
    if (middleware.length === 0) return call();
    const { job, report } = this.attempt;
    const { id: jobId, jobName, queue, metadata = {} } = job;
    const redacted = (text: string) => report.hide(text);
    return compose(middleware, { ...step, jobId, jobName, queue, metadata, redacted }, call);
  }

  async #completeIn(session: ClientSession, output?: unknown): Promise<void> {
    const { factory, job, report, hasEnded } = this.attempt;
    if (hasEnded) throw new ConflictError(job.id, `The attempt of job '${job.id}' has ended.`);
    const { value, bytes } = toOutput(await factory.parseOutput(output), job.jobName);
    const outcome = { kind: 'completed', output: value, outputBytes: bytes } as const;
    this.#steps?.requireForward();
    report.hold();
    await this.scope.leases.completeIn(job, outcome, session);
    this.#completedIn = outcome;
  }

  #contextWith<Details extends object>(input: unknown, details: Details): JobContext & Details {
    const { attempt } = this;
    const { id: jobId, retryCounter, token } = attempt.job;
    const { progress, log } = attempt.report;
    const { processor } = this.scope.shared;
    const getSteps = () => this.#stepsOfCall;
    return {
      ...details,
      input,
      jobId,
      attempt: retryCounter,
      token,
      processor,
      progress,
      log,
      timeLeft: () => attempt.timeLeft(),
      completeIn: (session, output) => this.#completeIn(session, output),
      get step() {
        return getSteps();
      },
      get signal() {
        return attempt.signal;
      },
    };
  }
}

/**
 * Checks that the job holds its places. The gate may have failed to find out the limits, or found others.
 *
 * @throws LimitsChangedError, which is retried
 */
function requireSlots({ slots = [], jobName }: ClaimedJob, { limits }: LimitsOfJob): void {
  const [lacks] = unmetLimits(limits, slots);
  if (lacks)
    throw new LimitsChangedError(`Input of job '${jobName}' gave other limits before, not '${lacks.key}'.`);
}

/** The input gave other limits when the job was claimed. A later attempt may succeed. */
class LimitsChangedError extends Error {}

/** Returns whether the schema did not answer. A job that blocks the thread can delay the schema of another job. */
function isUnanswered(error: unknown): boolean {
  return isKind(error, SchemaFailedError) && nameOf(error.cause) === 'NoAnswer';
}
