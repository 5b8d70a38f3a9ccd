import type { Document } from 'mongodb';
import type { Failure } from './failure.js';

/** Maximum number of errors kept. Older ones are dropped, and counted in `errorsDropped`. */
const MAX_ERRORS = 20;

/** Returns the fields of a job that has failed once more. */
export function withError(failure: Document): Document {
  return { errors: appended(failure), errorsDropped: droppedByOneMore };
}

/** Returns an expression for the errors with one more. */
export function appended(failure: Document): Document {
  const entry = { at: '$$NOW', ...failure, attempt: '$retryCounter' };
  return { $slice: [{ $concatArrays: ['$errors', [entry]] }, -MAX_ERRORS] };
}

const excess = { $max: [{ $subtract: [{ $size: '$errors' }, MAX_ERRORS - 1] }, 0] };
const dropped = { $add: [{ $ifNull: ['$errorsDropped', 0] }, excess] };
/** The number of dropped errors once another error is appended. */
export const droppedByOneMore = { $cond: [{ $gt: [dropped, 0] }, dropped, '$$REMOVE'] };

/** Returns an expression for the key of a group of failures. Missing unless the job is in `error`. */
export function failedLike(digest: string): Document {
  return { $cond: [{ $eq: ['$status', 'error'] }, { $concat: ['$jobName', ':', digest] }, '$$REMOVE'] };
}

/** Returns the failure as a value, so that no text in it is evaluated. */
export function literalFailure(failure: Failure): Document {
  return Object.fromEntries(Object.entries(failure).map(([name, value]) => [name, { $literal: value }]));
}
