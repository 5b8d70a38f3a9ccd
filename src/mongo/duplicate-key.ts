import type { BulkWriteResult } from 'mongodb';
import { hasServerCode, isBulkWriteError } from './driver-error.js';

/** MongoDB's code for a duplicate key. */
export const DUPLICATE_KEY = 11000;

/** Error of a write that a unique index refused. */
export interface DuplicateKey {
  readonly message: string;
  /** Keys of the index. */
  readonly keyPattern?: Readonly<Record<string, unknown>>;
  /** The values that already exist. */
  readonly keyValue?: Readonly<Record<string, unknown>>;
}

export function isDuplicateKey(error: unknown): error is DuplicateKey {
  return hasServerCode(error, DUPLICATE_KEY);
}

/** Returns the result of a bulk write that failed only because keys were taken. Its other statements were carried out. */
export function resultDespiteTakenKeys(error: unknown): BulkWriteResult {
  if (!isBulkWriteError(error) || !error.result.hasWriteErrors()) throw error;
  const areTaken = error.result.getWriteErrors().every(({ code }) => code === DUPLICATE_KEY);
  if (areTaken && error.result.getWriteConcernError() === undefined) return error.result;
  throw error;
}
