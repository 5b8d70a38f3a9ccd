import type { Document } from 'mongodb';

/**
 * Mark that an operation on many jobs leaves in each job that it changed. The mark keeps the operation from changing a job
 * twice, and stores the fields that the job had before.
 */
export interface OperationMark {
  readonly id: string;
  /** The fields that it had before, without those that it lacked. */
  readonly was: Readonly<Record<string, unknown>>;
  readonly isUndone?: true;
}

const remembered = [
  'status',
  'queue',
  'priority',
  'runAt',
  'queued',
  'completed',
  'expireAt',
  'maxRetries',
  'failureKey',
  'cancelRequested',
  'retryCounter',
  'givenBackCounter',
] as const;

/**
 * Returns the stages that mark a job before an operation changes it. They remove an earlier mark first, since MongoDB would
 * merge the two.
 */
export function markedBy(operation: string): Document[] {
  const was = Object.fromEntries(remembered.map((field) => [field, `$${field}`]));
  return [{ $unset: 'operation' }, { $set: { operation: { id: { $literal: operation }, was } } }];
}

/** Matches jobs that an operation has not changed yet, and may change. */
export function notMarkedBy(operation: string) {
  return { 'operation.id': { $ne: operation }, undoneOperation: { $ne: operation } };
}

/** Matches jobs that an operation has changed, and that are not as they were. */
export function changedBy(operation: string) {
  return {
    'operation.id': operation,
    'operation.isUndone': { $exists: false },
  };
}

/** Matches jobs that an operation has changed, and that are as they were. */
export function undoneBy(operation: string) {
  return {
    'operation.id': operation,
    'operation.isUndone': true as const,
  };
}

/** Returns the update after which an operation changes a job no more. The mark of a later one stays. */
export function leftAlone(operation: string) {
  return { $set: { undoneOperation: operation } };
}

/** Returns an expression for what a field was before the operation. Missing if the job had none. */
export function before(field: (typeof remembered)[number]): Document {
  return { $ifNull: [`$operation.was.${field}`, '$$REMOVE'] };
}
