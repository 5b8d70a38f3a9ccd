import { hasServerCode } from './driver-error.js';

/** MongoDB's code of it. */
export const DUPLICATE_KEY = 11000;

/** An error by which a unique index refuses a write. */
export interface DuplicateKey {
  readonly message: string;
  /** The index. */
  readonly keyPattern?: Readonly<Record<string, unknown>>;
  /** What is there already. */
  readonly keyValue?: Readonly<Record<string, unknown>>;
}

export function isDuplicateKey(error: unknown): error is DuplicateKey {
  return hasServerCode(error, DUPLICATE_KEY);
}
