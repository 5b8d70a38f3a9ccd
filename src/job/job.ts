/**
 * The job document and its state machine.
 *
 * Words used here and everywhere else:
 * - job factory: a name, an input schema, defaults, and the function that does the work
 * - job: one request to run a job factory with an input; one document in the collection `jobs`
 * - attempt: one run of a job
 * - lease: the right to run a job until a time, renewed by a heartbeat while the job runs
 * - fencing token: what identifies one lease; every write about a running job names it
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
 * Every arrow out of `processing` is written by `endAttempt` (end-attempt.ts), and by nothing else.
 */

import type { FailureCause } from './failure.js';
import type { ResolvedRetention } from './job-options.js';
import type { Metadata } from './metadata.js';
import type { ResolvedRetryDelay } from './retry-delay.js';

export const jobStatuses = ['queued', 'processing', 'cancelled', 'completed', 'error'] as const;
export type JobStatus = (typeof jobStatuses)[number];

export const settledStatuses = ['cancelled', 'completed', 'error'] as const;
export type SettledStatus = (typeof settledStatuses)[number];

/** Whether a job of this status never runs again, unless a person retries it. */
export function isSettled(status: JobStatus): status is SettledStatus {
  return settledStatuses.some((settled) => settled === status);
}

/** An entry of a job's history of errors. It tells of a failed attempt, or of a surprise such as a lost lease. */
export interface JobError {
  /** When it was written down, by the database's clock. */
  readonly at: Date;
  readonly message: string;
  /** The attempt that failed, counted from 1. */
  readonly attempt: number;
  readonly stack?: string;
  /** What was behind it, the nearest first: its `cause`, that one's, the `errors` of an AggregateError. At most 10. */
  readonly causes?: readonly FailureCause[];
}

/** The right of a worker to run a job until a time. */
export interface Lease {
  /** The fencing token. */
  readonly token: string;
  readonly worker: string;
  readonly expires: Date;
  /** How long it lasts when it is taken and each time it is renewed, in milliseconds. */
  readonly lengthMs: number;
  /** How many values of `progress`, and lines of `log`, of this attempt are stored: see report.ts. */
  readonly reported?: { readonly progress?: number; readonly lines?: number };
}

/** A lease that a worker holds. */
export interface HeldLease {
  readonly id: string;
  readonly token: string;
}

/** The last lines that a job wrote by `log`, the oldest first, and how many there were in all its attempts. */
export interface StoredLog {
  readonly told: number;
  readonly lines: readonly StoredLogLine[];
}

export interface StoredLogLine {
  readonly at: Date;
  readonly attempt: number;
  readonly message: string;
  /** As JSON. */
  readonly fields?: string;
}

/** The moment of a scheduler item that made a job. */
export interface Occurrence {
  /** Id of the scheduler item. */
  readonly item: string;
  readonly at: Date;
  /** The item's occurrence before it that made a job; null for its first. */
  readonly previous: Date | null;
}

/** A document of the collection `jobs`. All times are the database's. */
export interface JobDocument {
  readonly _id: string;
  readonly jobName: string;
  readonly queue: string;
  /** 0 to 9; higher runs first. */
  readonly priority: number;
  readonly status: JobStatus;
  /** As it was sent; the worker parses it with the factory's schema. Absent when none was given. */
  readonly input?: unknown;
  /** The value that the job returned, once it is completed. */
  readonly output?: unknown;
  /** The last value that its last attempt reported. */
  readonly progress?: unknown;
  /** Read by `jobs.log` alone: it may have half a megabyte. */
  readonly log?: StoredLog;
  /** The job does not start before this moment. */
  readonly runAt: Date;
  readonly created: Date;
  /** When it last entered the queue. */
  readonly queued: Date;
  /** When a worker last claimed it. */
  readonly picked?: Date;
  /** When the last attempt began. */
  readonly started?: Date;
  /** When it was settled, however it ended. */
  readonly completed?: Date;
  /** Attempts that were begun and not given back. */
  readonly retryCounter: number;
  /** Attempts that were given back. */
  readonly givenBackCounter: number;
  /** How many attempts the job has in all. */
  readonly maxRetries: number;
  /** Between a failed attempt and the next; null when the factory's code decides. */
  readonly retryDelay: ResolvedRetryDelay | null;
  /** The last 20, oldest first. */
  readonly errors: readonly JobError[];
  /** How many older errors were dropped. */
  readonly errorsDropped?: number;
  /** How often in a row it was given back because its invocation's time was up. */
  readonly unfinishedCounter?: number;
  /**
   * While it is queued and waits for nothing except its time. Claims see no other jobs. Here and below `null` stands in
   * conditions only, for a field that is not there.
   */
  readonly claimable?: true | null;
  /** Its worker was lost while it ran: it is run alone until an attempt comes to an end, and is not claimable. */
  readonly runAlone?: true | null;
  /** Only while `processing`. */
  readonly lease?: Lease;
  /** The fencing token of the attempt that was settled last: tells the outcome that counted from a late one. */
  readonly lastToken?: string;
  /** What was stored with it beside its input, such as the trace that it belongs to; absent when nothing was. */
  readonly metadata?: Metadata;
  /** Only when a scheduler item made the job. */
  readonly occurrence?: Occurrence;
  /** Unique per job name among jobs that are not settled; removed when the job settles. */
  readonly uniqueKey?: string;
  /** The unique key that it had until it was settled. */
  readonly freedUniqueKey?: string;
  /** When cancelling was asked for. */
  readonly cancelRequested?: Date;
  /** How long it is kept once it is settled; absent for the defaults. */
  readonly retention?: ResolvedRetention;
  /** When MongoDB deletes it, once it is settled; absent when it is kept until somebody removes it. */
  readonly expireAt?: Date;
}

/** The fields of a job that only a worker needs. */
type WorkersFields = 'claimable' | 'runAlone' | 'unfinishedCounter' | 'lastToken' | 'freedUniqueKey';

/**
 * A job as the API gives it: the document with `id` for `_id`, and without its log and what is the workers' own, such as
 * the fencing token, with which one could pose as the worker.
 */
export type Job = { readonly id: string } & Omit<JobDocument, '_id' | 'log' | 'lease' | WorkersFields> & {
    /** Which worker runs it, and until when it may. Only while `processing`. */
    readonly lease?: Pick<Lease, 'worker' | 'expires'>;
  };

/** A job that the caller holds the lease of, with the token that proves it. */
export type ClaimedJob = Omit<Job, 'lease'> & { readonly token: string };

/** Whether a document is a job of ours, by what each of them has. */
export function isJob({
  jobName,
  retryCounter,
}: {
  readonly jobName?: unknown;
  readonly retryCounter?: unknown;
}): boolean {
  return typeof jobName === 'string' && retryCounter !== undefined && retryCounter !== null;
}

/** The document as the API gives it. */
export function toJob({ _id, ...rest }: Omit<JobDocument, 'log'>): Job {
  return { id: _id, ...rest };
}

/** The fields that claims leave unread, which are the log and what only the database needs. */
export const withoutLog = {
  log: 0,
  claimable: 0,
  runAlone: 0,
  unfinishedCounter: 0,
  lastToken: 0,
  freedUniqueKey: 0,
} as const;

/** For whoever reads jobs to pass them to `toJob`. */
export const shownFields = {
  ...withoutLog,
  'lease.token': 0,
  'lease.lengthMs': 0,
  'lease.reported': 0,
} as const satisfies Record<string, 0> & Record<WorkersFields, 0>;
