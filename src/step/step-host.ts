import type { ClientSession } from 'mongodb';
import type { AnyJobToAdd } from '../job/add-jobs.js';
import type { EndedMember, MemberResult } from '../job/children.js';
import type { JobFactory } from '../job/define-job.js';
import type { Failure } from '../job/failure.js';
import type { GroupState } from '../job/group-statements.js';
import type { ClaimedJob } from '../job/job.js';
import type { LogLineFields } from '../job/log-line.js';
import type { Outcome } from '../job/outcome.js';
import type { EndedStep, StepCall } from '../job/step-call.js';
import type { StepEntry, StepLog, StepWrites } from '../job/step-log.js';
import type { StepFunction } from '../job/steps.js';

/** The stored steps of a job, and the database's clock when they were read. */
export interface LoadedSteps {
  readonly log: StepLog;
  /** The entries of the pages that the log points to. */
  readonly paged: readonly StepEntry[];
  readonly now: Date;
}

/** How steps read and write. */
export interface StepStore {
  /** Reads the stored steps of a job. @throws AttemptAbortedError if its lease is lost */
  load(job: ClaimedJob): Promise<LoadedSteps>;
  /** Stores steps under the job's lease. @throws AttemptAbortedError if that is lost */
  keep(job: ClaimedJob, writes: StepWrites): Promise<void>;
  /** Stores older entries in a document of their own, and returns its id. */
  addPage(job: ClaimedJob, entries: readonly StepEntry[]): Promise<string>;
  /**
   * Runs `work` in a transaction and then stores the steps that it returns, in the same one.
   *
   * @throws AttemptAbortedError if the job's lease is lost. Nothing is written then
   */
  keepInTransaction<Result>(
    job: ClaimedJob,
    work: (session: ClientSession) => Promise<{ readonly result: Result; readonly writes: StepWrites }>,
  ): Promise<Result>;
}

/** Jobs that a step adds. */
export interface NewChildren {
  /** Id of their group. */
  readonly id: string;
  readonly jobs: readonly AnyJobToAdd[];
  /** How many of them run at a time. */
  readonly groupLimit?: number;
}

/** How steps add other jobs, and see how these ended. */
export interface ChildStore {
  /**
   * Adds children. Safe to repeat.
   *
   * @throws as `addJobs` does, with nothing added, and ConflictError if one is there that has another input
   */
  add(parent: ClaimedJob, children: NewChildren): Promise<void>;
  look(group: string): Promise<GroupState>;
  countFailed(group: string): Promise<number>;
  firstFailure(group: string): Promise<EndedMember | undefined>;
  /** Queues the children again that failed or were cancelled, unless some are yet to stop. Returns whether it did so. */
  retry(parent: ClaimedJob, group: string): Promise<boolean>;
  /** Cancels the children that have not ended, and all jobs below them. @param id id of the group */
  cancel(parent: ClaimedJob, id: string): Promise<void>;
  /** Returns how children ended, from a number on. @param id id of the group */
  read(id: string, from: number, count: number): Promise<readonly MemberResult[]>;
}

/** The attempt whose steps run. */
export interface SteppingAttempt {
  readonly job: ClaimedJob;
  readonly factory: JobFactory;
  readonly signal: AbortSignal;
  /** Whether the attempt is over, so that no step can be stored. */
  readonly hasEnded: boolean;
  /** How long the attempt may still take, in milliseconds. */
  timeLeft(): number;
  /** Resolves when no more may begin: at once if the attempt's own time is over, else when its worker stops. */
  outOfTime(): Promise<void>;
}

/** The reports of an attempt while it runs. */
export interface StepReport {
  log(message: string, fields?: LogLineFields): void;
  /** Returns an error in the form in which it is stored, without the values of redacted fields. */
  toFailure(error: unknown): Failure;
  /** Tells that an iteration has a new cursor, to be stored with the attempt's reports. */
  stepped(): void;
  /** Holds back the reports until the returned function is called. */
  hold(): () => void;
}

/** The surroundings in which steps run. */
export interface StepHost {
  readonly attempt: SteppingAttempt;
  readonly report: StepReport;
  readonly store: StepStore;
  readonly children: ChildStore;
  /** How long an attempt may take that begins together with its worker, in milliseconds. */
  readonly wholeTimeMs: number;
  /** A wait up to this time is waited in place. */
  readonly maxInPlaceMs: number;
  /** Returns what is called instead of a step's function. */
  replacement(step: string): StepFunction<unknown> | undefined;
  /** Called when the function asks for a step, with its name and its former ones. */
  onAsked?(names: readonly [string, ...string[]]): void;
  /** Calls a step inside its middleware. */
  around(step: StepCall, call: () => Promise<unknown>): Promise<unknown>;
  /** Called when a step has ended, and that is stored or is stored along with the next write. */
  onEnded(step: EndedStep): void;
  /** Ends the attempt. Its function may be anywhere. Without an outcome, the job is given back. */
  park(outcome?: Outcome): void;
  /** Returns the link that answers a callback. @throws ConflictError if the processor has no callbacks */
  callbackUrl(step: string, run: number): string;
}
