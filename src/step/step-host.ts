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
  /** The entries of pages to which the log points. */
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
   * Runs `work` in a transaction. Stores the steps that it returns in the same transaction.
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
   * @throws as `addJobs` does, with nothing added. Also throws ConflictError if a child exists with another input
   */
  add(parent: ClaimedJob, children: NewChildren): Promise<void>;
  look(group: string): Promise<GroupState>;
  countFailed(group: string): Promise<number>;
  firstFailure(group: string): Promise<EndedMember | undefined>;
  /** Queues the failed and cancelled children again, unless some have yet to stop. Returns whether it did so. */
  retry(parent: ClaimedJob, group: string): Promise<boolean>;
  /** Cancels the children that have not ended, and all jobs below them. @param id id of the group */
  cancel(parent: ClaimedJob, id: string): Promise<void>;
  /** Returns how children ended, starting at a number. @param id id of the group */
  read(id: string, from: number, count: number): Promise<readonly MemberResult[]>;
}

/** The attempt whose steps run. */
export interface SteppingAttempt {
  readonly job: ClaimedJob;
  readonly factory: JobFactory;
  readonly signal: AbortSignal;
  /** Whether the attempt is over. No step can be stored then. */
  readonly hasEnded: boolean;
  /** How long the attempt may still take, in milliseconds. */
  timeLeft(): number;
  /** Resolves when nothing more may begin: at once if the attempt's own time is over, else when its worker stops. */
  outOfTime(): Promise<void>;
}

/** The reports of an attempt while it runs. */
export interface StepReport {
  log(message: string, fields?: LogLineFields): void;
  /** Returns an error in its stored form, without the values of redacted fields. */
  toFailure(error: unknown): Failure;
  /** Reports that an iteration has a new cursor. The cursor is stored with the attempt's reports. */
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
  /** How much time an attempt has that begins together with its worker, in milliseconds. */
  readonly wholeTimeMs: number;
  /** Longest wait that does not suspend the job, in milliseconds. */
  readonly maxInPlaceMs: number;
  /** Returns the function to call in place of a step's function, if any. */
  replacement(step: string): StepFunction<unknown> | undefined;
  /** Called when the function asks for a step, with the step's name and former names. */
  onAsked?(names: readonly [string, ...string[]]): void;
  /** Calls a step inside its middleware. */
  around(step: StepCall, call: () => Promise<unknown>): Promise<unknown>;
  /** Called when a step has ended and is stored, or is to be stored along with the next write. */
  onEnded(step: EndedStep): void;
  /** Ends the attempt, wherever its function is. Without an outcome, the job is given back. */
  park(outcome?: Outcome): void;
  /** Returns the link that answers a callback. @throws ConflictError if the processor has no callbacks */
  callbackUrl(step: string, run: number): string;
}
