import type { Collection } from './collection.js';
import type { LockOwner } from './conflicts.js';
import type { OrderedIndex } from './ordered-index.js';

/** A change to a collection since a transaction began. */
export type CollectionChange = 'made' | 'dropped';

/** An open transaction as other writers see it. Writers notify it before they change anything. */
export interface OpenTransaction extends LockOwner {
  /** Notes that another client has made or dropped a collection. */
  noteChange(namespace: string, change: CollectionChange): void;
  /** Keeps the transaction's version of a record before another writer changes it. */
  preserve(collection: Collection, id: number): void;
  /** Returns whether the transaction has an uncommitted document with this key in the index. */
  hasWritten(collection: Collection, index: OrderedIndex, key: string): boolean;
  /** Returns whether the collection exists for the transaction. False if its first document is yet to create it. */
  knows(collection: Collection): boolean;
  /** Returns whether the transaction uses the collection. If so, the collection may not be dropped, renamed or indexed. */
  uses(collection: Collection): boolean;
}
