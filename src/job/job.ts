/**
 * The job document and its state machine.
 *
 * Words used here and everywhere else:
 * - job factory: a name, an input schema, defaults, and the function that does the work
 * - job: a request to run a job factory with an input, stored as a document in the collection `jobs`
 * - attempt: one run of a job
 * - lease: the right to run a job until a time, renewed by a heartbeat while the job runs
 * - fencing token: identifies a lease, and is named by every write about a running job
 * - settle: to write down how an attempt ended
 * - give back: to return an unfinished job to the queue without using up an attempt
 *
 * ```
 *              addJob                claim                 return
 *   (nothing) ───────▶ queued ─────────────▶ processing ───────────▶ completed
 *                       │  ▲                  │   │   │
 *                cancel │  │ error, attempts  │   │   │ RemoteException, or the last
 *                       │  │ left; given back;│   │   │ attempt failed or lost its lease
 *                       │  │ lease lost       │   │   ▼
 *                       │  └──────────────────┘   │  error
 *                       ▼                         │
 *                   cancelled ◀───────────────────┘ any ending, once cancelling was asked for
 * ```
 * `completed`, `error` and `cancelled` are settled: a settled job never runs again unless a person retries it.
 * Every arrow out of `processing` is written by the stages of leave-processing.ts, and by nothing else.
 */

import type { FailureCause } from './failure.js';
import type { HeldSlot, JobLimit } from './flow-rules.js';
import type { Membership } from './group.js';
import type { ResolvedRetention } from './job-options.js';
import type { Metadata } from './metadata.js';
import type { OperationMark } from './operation-mark.js';
import type { PastAttempt } from './past-attempt.js';
import type { ResolvedRetryDelay } from './retry-delay.js';
import type { StepLog, StepsState } from './step-log.js';

export const jobStatuses = ['queued', 'processing', 'cancelled', 'completed', 'error'] as const;
export type JobStatus = (typeof jobStatuses)[number];

export const settledStatuses = ['cancelled', 'completed', 'error'] as const;
export type SettledStatus = (typeof settledStatuses)[number];

/**
 * Returns whether a job of this status never runs again, unless a person retries it. False for an unknown status and for
 * `stale`.
 */
export function isSettled(status: JobStatus | 'stale' | undefined): status is SettledStatus {
  return settledStatuses.some((settled) => settled === status);
}

/** An entry of a job's errors: a failed attempt, or an unexpected event such as a lost lease. */
export interface JobError {
  /** When it was recorded, by the database's clock. */
  readonly at: Date;
  readonly message: string;
  /** Number of the failed attempt, from 1. */
  readonly attempt: number;
  readonly stack?: string;
  /** Causes, nearest first: `cause`, its own causes, and the `errors` of an AggregateError. At most 10. */
  readonly causes?: readonly FailureCause[];
}

/** A worker's right to run a job until a time. */
export interface Lease {
  /** Fencing token. */
  readonly token: string;
  readonly worker: string;
  readonly expires: Date;
  /** Duration of the lease when taken and when renewed, in milliseconds. */
  readonly lengthMs: number;
  /** How many `progress` values and `log` lines of this attempt are stored. See report.ts. */
  readonly reported?: { readonly progress?: number; readonly lines?: number };
  /** True once the attempt has stored a step. */
  readonly stepped?: true;
}

/** A lease that a worker holds: the job's id and the fencing token. */
export interface HeldLease {
  readonly id: string;
  readonly token: string;
}

/** The last lines that a job wrote with `log`, oldest first, and the number of lines written by all attempts. */
export interface StoredLog {
  readonly told: number;
  readonly lines: readonly StoredLogLine[];
}

export interface StoredLogLine {
  readonly at: Date;
  readonly attempt: number;
  readonly message: string;
  /** JSON text. */
  readonly fields?: string;
}

/** The occurrence of a scheduler item for which a job was made. */
export interface Occurrence {
  /** Id of the scheduler item. */
  readonly item: string;
  readonly at: Date;
  /** The item's previous occurrence that made a job. Null for its first. */
  readonly previous: Date | null;
}

/** A document of the collection `jobs`. All times are by the database's clock. */
export interface JobDocument extends Membership {
  readonly _id: string;
  readonly jobName: string;
  readonly queue: string;
  /** Priority from 0 to 9, higher first. */
  readonly priority: number;
  readonly status: JobStatus;
  /** Input as sent, to be parsed by the worker with the factory's schema. Absent when none was given. */
  readonly input?: unknown;
  /** Value returned by the job, once it is completed. */
  readonly output?: unknown;
  /** The last value that the latest attempt reported. */
  readonly progress?: unknown;
  /** Log of up to half a megabyte, which only `jobs.log` reads. */
  readonly log?: StoredLog;
  /** The job does not start before this moment. */
  readonly runAt: Date;
  readonly created: Date;
  /** When the job last entered the queue. */
  readonly queued: Date;
  /** When a worker last claimed the job. */
  readonly picked?: Date;
  /** When the last attempt began. Absent after a worker claimed the job and its limits turned it away. */
  readonly started?: Date;
  /** When the job was settled, however it ended. */
  readonly completed?: Date;
  /** Attempts that began and were not given back. */
  readonly retryCounter: number;
  /** Attempts that were given back. */
  readonly givenBackCounter: number;
  /** Maximum number of attempts. */
  readonly maxRetries: number;
  /** Delay between a failed attempt and the next. Null if the factory's code decides. */
  readonly retryDelay: ResolvedRetryDelay | null;
  /** The last 20 errors, oldest first. */
  readonly errors: readonly JobError[];
  /** Key of the group of failures that the last error belongs to. Present only in `error`. See failure-key.ts. */
  readonly failureKey?: string;
  /** The last 20 attempts before the present or last one, oldest first. See `attemptsOf`. Absent when there are none. */
  readonly attempts?: readonly PastAttempt[];
  /** Number of older errors that were dropped. */
  readonly errorsDropped?: number;
  /** How many times in a row the job was given back because its invocation ran out of time. */
  readonly unfinishedCounter?: number;
  /** How many attempts were used up by deaths of workers since the job last stored a step. */
  readonly lostCounter?: number;
  /**
   * True while the job is queued and waits only for its time. Claims see only such jobs. False while it is blocked by a
   * limit. Here and below, `null` is used only in conditions, for a missing field.
   */
  readonly claimable?: boolean | null;
  /**
   * True after the job lost its worker, until an attempt ends by itself. The job must run alone and is not claimable.
   */
  readonly runAlone?: true | null;
  /** The concurrency limits of the job, once a worker has looked at them. */
  readonly limits?: readonly JobLimit[];
  /** The places that the job holds in its limits, from when it may run until its attempt has ended. */
  readonly slots?: readonly HeldSlot[];
  /** The limit in whose line the queued job waits. Absent if it waits for none. */
  readonly blockedBy?: string;
  /** The rate limit that gave the job its `runAt`. Absent once the attempt has ended without completing the job. */
  readonly postponedBy?: string;
  /** Present only while `processing`. */
  readonly lease?: Lease;
  /** Fencing token of the last attempt that was settled. Distinguishes the outcome that counted from a late one. */
  readonly lastToken?: string;
  /** Values of the input that the job can be found by, such as `orderId=42`. Absent when there are none. */
  readonly keys?: readonly string[];
  /** Strings stored alongside the input, such as the job's trace. Absent when there are none. */
  readonly metadata?: Metadata;
  /** Present only when a scheduler item made the job. */
  readonly occurrence?: Occurrence;
  /** Unique per job name. Removed when the job settles, or later, see `uniqueUntil`. */
  readonly uniqueKey?: string;
  /**
   * When the key is free again. `'claimed'`: once a worker has taken the job. The next job that needs the key then takes it
   * away. A date: once the job is settled, but not before that moment. Absent: once the job is settled.
   */
  readonly uniqueUntil?: 'claimed' | Date;
  /** Id chosen by the add that last replaced the input and options. `null` is used only in conditions. */
  readonly replacedBy?: string | null;
  /** Places that the job lost when its input was last replaced. The add that replaced it passes them on. */
  readonly lostSlots?: readonly HeldSlot[];
  /** No other job of this name with this key runs beside it. */
  readonly exclusiveKey?: string;
  /** Unique key that the job had until it was settled. */
  readonly freedUniqueKey?: string;
  /** When cancelling was requested. */
  readonly cancelRequested?: Date;
  /** How long the job is kept after settling. Absent for the defaults. */
  readonly retention?: ResolvedRetention;
  /** How far the job's steps have come. Absent if it has stored none, and got no signal. */
  readonly steps?: StepsState;
  /** The steps and signals, which claims do not read. */
  readonly stepLog?: StepLog;
  /** When MongoDB deletes the settled job. Absent if it is kept until somebody removes it. */
  readonly expireAt?: Date;
  /** The last operation on many jobs that changed this one. */
  readonly operation?: OperationMark;
  /** The last operation that was undone before it had changed this job. */
  readonly undoneOperation?: string;
}

/** The fields of a job that only workers need. */
export type WorkersFields =
  | 'claimable'
  | 'unfinishedCounter'
  | 'lostCounter'
  | 'lastToken'
  | 'freedUniqueKey'
  | 'slots'
  | 'lostSlots'
  | 'inputFrom'
  | 'groupLimit'
  | 'operation'
  | 'undoneOperation';

/**
 * A job as returned by the API: its document with `id` instead of `_id`, without the log and the workers' own fields.
 * Fencing tokens are left out, because anyone who has one could impersonate the worker.
 */
export type Job = { readonly id: string } & Omit<
  JobDocument,
  '_id' | 'log' | 'stepLog' | 'lease' | WorkersFields
> & {
    /** The worker that runs the job, and when its lease ends. Present only while `processing`. */
    readonly lease?: Pick<Lease, 'worker' | 'expires'>;
  };

/** A job whose lease the caller holds, with the token that proves it. */
export type ClaimedJob = Omit<Job, 'lease'> & { readonly token: string } & Pick<
    JobDocument,
    'slots' | 'groupLimit'
  >;

/** Returns whether a document is a job, judged by fields that every job has. */
export function isJob({
  jobName,
  retryCounter,
}: {
  readonly jobName?: unknown;
  readonly retryCounter?: unknown;
}): boolean {
  return typeof jobName === 'string' && retryCounter !== undefined && retryCounter !== null;
}

/** Converts a document to the API's form. */
export function toJob({ _id, lostSlots: _, ...rest }: Omit<JobDocument, 'log' | 'stepLog'>): Job {
  return { id: _id, ...rest };
}

/** Projection for claims: leaves out the log, the steps, past attempts and the fields that only the database needs. */
export const withoutLog = {
  log: 0,
  stepLog: 0,
  claimable: 0,
  runAlone: 0,
  unfinishedCounter: 0,
  lostCounter: 0,
  lastToken: 0,
  freedUniqueKey: 0,
  attempts: 0,
  operation: 0,
  undoneOperation: 0,
} as const;

const { runAlone: _, attempts: __, ...hidden } = withoutLog;

/** Projection for jobs that are passed to `toJob`. */
export const shownFields = {
  ...hidden,
  slots: 0,
  inputFrom: 0,
  groupLimit: 0,
  'lease.token': 0,
  'lease.lengthMs': 0,
  'lease.reported': 0,
  'lease.stepped': 0,
} as const satisfies Record<string, 0> & Record<Exclude<WorkersFields, 'lostSlots'>, 0>;
