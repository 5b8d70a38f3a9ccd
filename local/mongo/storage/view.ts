import type { Doc } from '../bson/decode.js';
import type { OrderedIndex } from './ordered-index.js';

/** A position in an index, for one scan. It stays valid while the index changes between two calls. */
export interface IndexCursor {
  /** Moves to the first entry at or after the key, in the direction of the scan. */
  seek(key: string): string | undefined;
  /** Moves to the entry after the current one. */
  next(): string | undefined;
}

/** A collection as one reader sees it: the committed state, or a transaction's snapshot with its own writes. */
export interface View {
  /** Whether there is such a collection. */
  readonly exists: boolean;
  readonly indexes: ReadonlyMap<string, OrderedIndex>;
  /** How many documents there are. */
  readonly count: number;
  get(id: number): string | undefined;
  /** The record numbers in the order of insertion. */
  ids(): Iterable<number>;
  cursor(index: OrderedIndex, forward: boolean): IndexCursor;
  /** Adds a document. Throws 11000 for a key that exists, 112 for a conflict with an open transaction. */
  insert(stored: string, doc: Doc): void;
  /** Replaces a document by a new version of it. Throws as `insert` does. */
  replace(id: number, stored: string, before: Doc, after: Doc): void;
  /** Removes a document. Throws 112 for a conflict with an open transaction. */
  remove(id: number, before: Doc): void;
}
