import type { Doc } from '../bson/decode.js';
import type { OrderedIndex } from './ordered-index.js';

/** A scan's position in an index. It stays valid while the index changes between two calls. */
export interface IndexCursor {
  /** Moves to the first entry at or after the key, in the direction of the scan. */
  seek(key: string): string | undefined;
  /** Moves to the entry after the current one. */
  next(): string | undefined;
}

/** A collection as one reader sees it: the committed state, or a transaction's snapshot with its own writes. */
export interface View {
  /** Whether the collection exists. */
  readonly exists: boolean;
  readonly indexes: ReadonlyMap<string, OrderedIndex>;
  /** The number of documents. */
  readonly count: number;
  get(id: number): string | undefined;
  /** Returns the record numbers in the order of insertion. */
  ids(): Iterable<number>;
  cursor(index: OrderedIndex, forward: boolean): IndexCursor;
  /** Adds a document. Throws 11000 for an existing key, 112 for a conflict with an open transaction. */
  insert(stored: string, doc: Doc): void;
  /** Replaces a document with a new version. Throws like `insert`. */
  replace(id: number, stored: string, before: Doc, after: Doc): void;
  /** Removes a document. Throws 112 for a conflict with an open transaction. */
  remove(id: number, before: Doc): void;
}
