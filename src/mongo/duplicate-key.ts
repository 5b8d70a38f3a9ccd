import { hasServerCode } from './driver-error.js';

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
