/**
 * What the checker judges by.
 *
 * - sighting: the job's document as it was at a moment of the database's clock
 * - run: one call of a job's function; it looks at its job when it begins and when it ends
 * - holder: a run that saw its own token in the document
 * - note: what a process was told by the library, such as the id of a job that it added
 */
import type { AbortReason, JobStatus } from '../../src/index.js';
import type { JobDocument } from '../../src/job/job.js';
import type { SchedulerItemDocument } from '../../src/scheduler/item.js';

/** The parts of a document that a sighting keeps. */
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
} as const;

export type Sighting = Pick<JobDocument, '_id' | keyof typeof sightedFields> & {
  /** By the database's clock. */
  readonly at: Date;
};

/** One document of the ledger. */
export interface Run {
  readonly _id: string;
  readonly job: string;
  readonly attempt: number;
  readonly token: string;
  /** The process, such as `worker-0`. */
  readonly process: string;
  /** By the database's clock, the function was certainly not called before this moment. */
  readonly notBefore: Date;
  /** When it began, or a little later; null when there was no such job. */
  readonly began: Sighting | null;
  /** Just before its function returned or threw; absent when it never did. */
  readonly ended?: { readonly how: 'returned' | 'threw'; readonly sighting: Sighting | null };
  /** Its signal fired; `at`: or a little earlier. */
  readonly aborted?: { readonly why: AbortReason; readonly at: Date };
}

export type Note =
  /** `addJob` returned this id. */
  | { readonly kind: 'added'; readonly job: string }
  /** `scheduleDueItems` returned this id. */
  | { readonly kind: 'scheduled'; readonly job: string }
  /** `cancelJob` answered so. */
  | { readonly kind: 'cancelled'; readonly job: string; readonly answer: JobStatus }
  /** `addJob` returned the id of a job with another input. */
  | { readonly kind: 'taken for another'; readonly job: string };

export interface Evidence {
  readonly jobs: readonly JobDocument[];
  readonly runs: readonly Run[];
  readonly notes: readonly Note[];
  readonly items: readonly SchedulerItemDocument[];
  /** Processes that ended though nobody and no job ended them, with what they printed. */
  readonly crashes: readonly string[];
  readonly leaseMs: number;
  /** When the items were stopped, by the database's clock: the schedulers had had time to make all that was due. */
  readonly itemsEnded: Date;
  /** How many runs may be missing in the ledger: a process was interrupted between a claim and the first line. */
  readonly mayBeShort: number;
  /** When the documents were read, by the database's clock: all processes had ended more than a lease before. */
  readonly now: Date;
}

/** One rule that was broken. */
export interface Violation {
  readonly rule: string;
  readonly message: string;
  /** The job, the runs, the notes: whatever shows it. */
  readonly documents: readonly unknown[];
}
