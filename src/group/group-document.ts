import type { Collection } from 'mongodb';
import type { Awaited } from '../job/group.js';
import type { ResolvedRetention } from '../job/job-options.js';
import type { JobCollections } from '../job/jobs-collection.js';
import { anyMoment } from '../mongo/any-moment.js';
import { type CollectionDescription, moment, text } from '../mongo/collection-description.js';

/** A job that has added children. The document says that somebody must look after these children. */
export interface ParentDocument {
  /** `job` and the id of the job. */
  readonly _id: string;
  readonly kind: 'job';
  /** When to look after the group next. Needed in case nobody did when one of its jobs ended. */
  readonly checkAt: Date;
}

/** Fields that batches and workflows have in common. */
interface AddedGroup {
  /** Name of the group: its kind and its id. */
  readonly _id: string;
  readonly checkAt: Date;
  readonly created: Date;
  /** Number of jobs. */
  readonly size: number;
  /** Digest of the jobs. Tells whether a group that is added again is the same. */
  readonly digest: string;
  /** When all its jobs had ended. Removed when a person retries some. */
  readonly closed?: Date;
  /** When a person cancelled it. Removed when a person retries it. */
  readonly cancelled?: Date;
  /** When it is removed together with its jobs. Absent while it is open, and if it is kept for good. */
  readonly expires?: Date;
  readonly retention: ResolvedRetention;
}

export interface BatchDocument extends AddedGroup {
  readonly kind: 'batch';
  /** Names of the kinds of its jobs, and of the job that waits for it. */
  readonly kinds: readonly string[];
  /** When all its jobs had been added. Until then the batch is not over, even if all stored jobs have ended. */
  readonly sealed?: Date;
  /** The job that waits for the batch. */
  readonly then?: { readonly id: string; readonly when: Awaited['when'] };
}

export interface WorkflowDocument extends AddedGroup {
  readonly kind: 'workflow';
  /** When it was found that a failure keeps all other jobs from running. Removed when a person retries a job. */
  readonly failed?: Date;
  readonly jobs: readonly WorkflowJob[];
}

/** A job of a workflow. The list of jobs has an order in which they can run. */
export interface WorkflowJob {
  /** Its name in the workflow. */
  readonly name: string;
  readonly jobName: string;
  /** The names of the jobs that it waits for. */
  readonly after: readonly string[];
  readonly when: Awaited['when'];
}

/** A document of the collection `jobGroups`. */
export type GroupDocument = ParentDocument | BatchDocument | WorkflowDocument;

/** The collections that hold jobs and their groups. */
export interface GroupCollections extends JobCollections {
  readonly jobGroups: Collection<GroupDocument>;
}

/** Serves the search for groups that somebody must look after. */
export const checkIndex = { name: 'check', key: { checkAt: 1 } } as const;

/** Serves lists of batches and of workflows. */
export const byKind = {
  name: 'byKind',
  key: { kind: 1, created: 1, _id: 1 },
  partialFilterExpression: { created: { $exists: true } },
} as const;

export const groupsCollection: CollectionDescription = {
  name: 'jobGroups',
  ours: { _id: text, kind: { $in: ['job', 'batch', 'workflow'] }, checkAt: moment },
  indexes: [checkIndex, byKind],
  formerIndexes: [],
};

/** Matches groups that somebody must look after. */
export const isDueForCheck = { checkAt: anyMoment, $expr: { $lte: ['$checkAt', '$$NOW'] } } as const;

/**
 * Time until somebody looks after an open group again. With a scheduler that ticks each minute, the look comes within two
 * minutes.
 */
export const CHECK_MS = 60_000;

/** Interval of the looks whether the parent of settled children still exists. */
export const CHECK_SETTLED_MS = 24 * 60 * 60 * 1000;

/** Returns an expression for a moment in the future, by the database's clock. */
export function fromNow(ms: number) {
  return { $add: ['$$NOW', ms] };
}
