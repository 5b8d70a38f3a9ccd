import { type Document, MongoServerError } from 'mongodb';

/** True when a unique index refused a write; `keyPattern` tells which. */
export function isDuplicateKey(error: unknown): error is MongoServerError & { keyPattern?: Document } {
  return error instanceof MongoServerError && error.code === 11000;
}
