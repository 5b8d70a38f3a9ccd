import type { Collection } from 'mongodb';
import type { Role } from '../access/role.js';
import type { CappedCount } from '../job/count-jobs.js';
import type { JobStatus } from '../job/job.js';
import type { JobCollections } from '../job/jobs-collection.js';
import type { JobConditions } from '../job/list-jobs.js';
import { anyMoment } from '../mongo/any-moment.js';
import { type CollectionDescription, expiring, moment, text } from '../mongo/collection-description.js';

/** Change that an operation makes to each job. */
export type OperationAction = 'retry' | 'cancel' | 'remove' | 'move' | 'reprioritise';

export const operationActions = [
  'retry',
  'cancel',
  'remove',
  'move',
  'reprioritise',
] as const satisfies readonly OperationAction[];

/**
 * `running`: it is changing the jobs. `done`: it has changed all of them. `stopped`: a person stopped it before that.
 * `undoing`: jobs that have not begun are being restored. `undone`: they are restored.
 */
export type OperationState = 'running' | 'done' | 'stopped' | 'undoing' | 'undone';

export const operationStates = [
  'running',
  'done',
  'stopped',
  'undoing',
  'undone',
] as const satisfies readonly OperationState[];

/** Selects the jobs of an operation. */
export interface OperationFilter extends JobConditions {
  readonly status: JobStatus;
}

/** A document of the collection `operations`. All times are by the database's clock. */
export interface OperationDocument {
  readonly _id: string;
  readonly action: OperationAction;
  readonly filter: OperationFilter;
  /** Moment before which the jobs must have been added. Settled jobs must have ended before it. */
  readonly endedBefore: Date;
  /** Earliest moment at which the jobs may have ended. For settled jobs. */
  readonly endedAfter?: Date;
  /** Time over which the retried jobs are spread, in milliseconds. */
  readonly spreadMs?: number;
  /** The queue to move the jobs to. */
  readonly to?: string;
  readonly priority?: number;
  /** The person who started it, such as the id of an API key. */
  readonly by?: string;
  /** Role of that person. Jobs that this role may not add are skipped. */
  readonly callerRole?: Role;
  readonly state: OperationState;
  /** Position in the list of jobs. Absent at its beginning. */
  readonly cursor?: string;
  /** Number of slices that are finished and counted. */
  readonly slices: number;
  readonly done: number;
  readonly skipped: number;
  /** Number of slices that are undone and counted. */
  readonly undoneSlices: number;
  readonly undone: number;
  /** How many jobs matched at the start. */
  readonly total: CappedCount;
  readonly started: Date;
  readonly ended?: Date;
  /** When a process may take it up. The process that works on it postpones this moment. Absent once nothing is left to do. */
  readonly due?: Date;
  /** Fencing token of the process that works on it. */
  readonly token?: string;
  readonly expireAt: Date;
}

/**
 * A document of the collection `operationSlices`: the jobs that an operation changes next. It is written before they are
 * changed. So after a crash, another process continues with the same jobs, and they can be undone.
 */
export interface SliceDocument {
  /** Id of the operation, a dot and the number of the slice, in six digits. */
  readonly _id: string;
  readonly ids: readonly string[];
  /** Position after the slice. Absent for the last one. */
  readonly cursor?: string;
  readonly expireAt: Date;
}

export interface OperationCollections extends JobCollections {
  readonly operations: Collection<OperationDocument>;
  readonly operationSlices: Collection<SliceDocument>;
}

/** Serves the search for operations that a process must take up. */
export const dueOperations = {
  name: 'due',
  key: { due: 1 },
  partialFilterExpression: { due: { $exists: true } },
} as const;

/** Serves lists of operations, newest first. */
export const byStarted = { name: 'byStarted', key: { started: 1, _id: 1 } } as const;

export const isDueOperation = { due: anyMoment, $expr: { $lte: ['$due', '$$NOW'] } } as const;

const ours = { _id: text, action: text, state: text, started: moment };

export const operationsCollection: CollectionDescription = {
  name: 'operations',
  ours,
  indexes: [dueOperations, byStarted, expiring('expiry', 'expireAt', { action: text, started: moment })],
  formerIndexes: [],
};

export const operationSlicesCollection: CollectionDescription = {
  name: 'operationSlices',
  ours: { _id: text, ids: { $exists: true }, expireAt: moment },
  indexes: [expiring('expiry', 'expireAt', { ids: { $exists: true } })],
  formerIndexes: [],
};

export function sliceId(operation: string, number: number): string {
  return `${operation}.${String(number).padStart(6, '0')}`;
}
