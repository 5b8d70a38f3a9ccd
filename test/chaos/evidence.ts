/**
 * The facts that the checker judges by.
 *
 * - sighting: the job's document as it was at a moment of the database's clock
 * - run: one call of a job's function, which looks at its job when it begins and when it ends
 * - holder: a run that saw its own token in the document
 * - note: an answer of the library to a process, such as the id of an added job
 */

import type { LimitDocument } from '../../src/flow/limit-document.js';
import type { AbortReason, JobStatus } from '../../src/index.js';
import type { JobDocument } from '../../src/job/job.js';
import type { SchedulerItemDocument } from '../../src/scheduler/item.js';

/** The fields of a job's document that a sighting has. */
export const sightedFields = {
  status: 1,
  lease: 1,
  picked: 1,
  queued: 1,
  runAt: 1,
  completed: 1,
  lastToken: 1,
  givenBackCounter: 1,
  cancelRequested: 1,
  steps: 1,
} as const;

export type Sighting = Pick<JobDocument, '_id' | keyof typeof sightedFields> & {
  /** The time of the sighting, by the database's clock. */
  readonly at: Date;
};

/** One call of a job's function, as a document of the ledger. */
export interface Run {
  readonly _id: string;
  readonly job: string;
  readonly attempt: number;
  readonly token: string;
  /** The process, such as `worker-0`. */
  readonly process: string;
  /** A moment by the database's clock before which the function was certainly not called. */
  readonly notBefore: Date;
  /** The job when the run began, or a little later. Null when the job did not exist. */
  readonly began: Sighting | null;
  /** The circuit breaker of the job, a little after that. Absent if it was closed, or the job has none. */
  readonly breaker?: SightedBreaker;
  /** The job just before the function returned or threw. Absent when it never did. */
  readonly ended?: { readonly how: 'returned' | 'threw'; readonly sighting: Sighting | null };
  /** The firing of the run's signal. `at` may be a little early. */
  readonly aborted?: { readonly why: AbortReason; readonly at: Date };
}

/** A circuit breaker that is open or half open. */
export type SightedBreaker = Pick<LimitDocument, 'opened' | 'probe'>;

export type Note =
  /** `addJob` returned this id. */
  | { readonly kind: 'added'; readonly job: string }
  /** `scheduleDueItems` returned this id. */
  | { readonly kind: 'scheduled'; readonly job: string }
  /** `cancelJob` gave this answer. */
  | { readonly kind: 'cancelled'; readonly job: string; readonly answer: JobStatus }
  /** `addJob` returned the id of a job with another input. */
  | { readonly kind: 'taken for another'; readonly job: string }
  /** The function of a step was called under this token, or the step's promise resolved. `at` is by the database's clock. */
  | {
      readonly kind: 'step ran' | 'step stored';
      readonly job: string;
      readonly step: string;
      readonly token: string;
      readonly at: Date;
    };

/** How often the transaction of a job with steps took effect. */
export interface Effect {
  readonly _id: string;
  readonly times: number;
}

export interface Evidence {
  readonly jobs: readonly JobDocument[];
  readonly runs: readonly Run[];
  readonly notes: readonly Note[];
  readonly effects?: readonly Effect[];
  readonly items: readonly SchedulerItemDocument[];
  /** The output of each process that ended although neither the suite nor a job ended it. */
  readonly crashes: readonly string[];
  readonly leaseMs: number;
  /**
   * The time at which the items were stopped, by the database's clock. Schedulers had time to make all jobs due before.
   */
  readonly itemsEnded: Date;
  /**
   * The number of runs that may be missing in the ledger, because a process may be interrupted between a claim and the
   * run's first entry.
   */
  readonly mayBeShort: number;
  /** The time at which the documents were read, by the database's clock, more than a lease after the end of all processes. */
  readonly now: Date;
}

/** A broken rule. */
export interface Violation {
  readonly rule: string;
  readonly message: string;
  /** The documents that show the violation, such as the job, the runs and the notes. */
  readonly documents: readonly unknown[];
}
