import type { Doc } from '../bson/decode.js';
import { valueAt } from '../bson/path.js';
import { shellText } from '../bson/shell-text.js';
import { CommandError } from '../errors.js';
import type { IndexDefinition } from './ordered-index.js';

/** An open transaction with an uncommitted write to a record. */
export interface LockOwner {
  /** Resolves when the transaction has committed or aborted. */
  readonly ended: Promise<void>;
}

/**
 * Thrown when a write outside a transaction meets a transaction's uncommitted write. The write then waits, as in MongoDB.
 * Its statement is undone, and runs again when that transaction has ended.
 */
export class LockedRecord extends Error {
  readonly owner: LockOwner;

  constructor(owner: LockOwner) {
    super('the record is being written by a transaction');
    this.owner = owner;
  }
}

/** Returns the error of a transaction that meets the write of another. The former must run again as a whole. */
export function writeConflict(): CommandError {
  return new CommandError(
    112,
    'Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.',
    { labels: ['TransientTransactionError'] },
  );
}

/**
 * Returns the error of a transaction that reads a collection which was dropped after the transaction began. The
 * transaction must run again as a whole.
 */
export function snapshotUnavailable(): CommandError {
  return new CommandError(
    246,
    'Unable to read from a snapshot due to pending collection catalog changes; please retry the operation.',
    { labels: ['TransientTransactionError'] },
  );
}

/** Returns MongoDB's duplicate key error, with `keyPattern` and `keyValue`. */
export function duplicateKey(namespace: string, index: IndexDefinition, doc: Doc): CommandError {
  const keyPattern = Object.fromEntries(index.fields.map(({ path, direction }) => [path, direction]));
  const keyValue = Object.fromEntries(index.fields.map(({ path }) => [path, valueAt(doc, path) ?? null]));
  const shown = Object.entries(keyValue).map(([path, value]) => `${path}: ${shellText(value)}`);
  return new CommandError(
    11000,
    `E11000 duplicate key error collection: ${namespace} index: ${index.name} dup key: { ${shown.join(', ')} }`,
    { details: { keyPattern, keyValue } },
  );
}
