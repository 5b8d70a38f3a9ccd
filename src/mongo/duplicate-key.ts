import { type Document, MongoServerError } from 'mongodb';

/** MongoDB's code of it. */
export const DUPLICATE_KEY = 11000;

/** True when a unique index refused a write; `keyPattern` tells which. */
export function isDuplicateKey(error: unknown): error is MongoServerError & { keyPattern?: Document } {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}
