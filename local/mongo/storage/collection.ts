import { UUID } from 'bson';
import type { Doc } from '../bson/decode.js';
import type { LockOwner } from './conflicts.js';
import { idIndexDefinition } from './index-definition.js';
import type { Journal } from './journal.js';
import { type IndexDefinition, OrderedIndex } from './ordered-index.js';
import { decodeStored } from './stored.js';

/**
 * The committed documents of one collection and their indexes.
 *
 * A document is kept as its BSON in a one-byte string. The string costs 16 bytes more than its length. A Buffer would cost
 * some 200 bytes more. A string cannot change, so a snapshot needs no copy of it.
 */
export class Collection {
  /** Changed by `renameCollection`. */
  name: string;
  readonly uuid = new UUID();
  readonly records = new Map<number, string>();
  readonly indexes = new Map<string, OrderedIndex>();
  /** The open transactions with an uncommitted write, by record. */
  readonly locks = new Map<number, LockOwner>();
  options: Doc;
  #lastId = 0;
  #bytes = 0;

  constructor(name: string, options: Doc = {}) {
    this.name = name;
    this.options = options;
    this.indexes.set('_id_', new OrderedIndex(idIndexDefinition()));
  }

  /** The sum of the documents' sizes in bytes. */
  get dataSize(): number {
    return this.#bytes;
  }

  /** Returns the number of a new record. */
  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /**
   * Puts, replaces or (with `undefined`) removes a record and its index entries. The caller must check unique keys and
   * conflicts.
   */
  put(id: number, after: string | undefined, journal?: Journal, beforeDoc?: Doc, afterDoc?: Doc): void {
    const before = this.records.get(id);
    const oldDoc = before === undefined ? undefined : (beforeDoc ?? decodeStored(before));
    const newDoc = after === undefined ? undefined : (afterDoc ?? decodeStored(after));
    journal?.record(() => this.put(id, before));
    for (const index of this.indexes.values()) reindex(index, id, oldDoc, newDoc);
    if (after === undefined) this.records.delete(id);
    else this.records.set(id, after);
    this.#bytes += (after?.length ?? 0) - (before?.length ?? 0);
  }

  /** Builds an index over the existing documents. */
  addIndex(definition: IndexDefinition): OrderedIndex {
    const index = new OrderedIndex(definition);
    for (const [id, stored] of this.records) index.insert(index.keysOf(decodeStored(stored), id));
    this.indexes.set(definition.name, index);
    return index;
  }
}

/** Replaces the old document's entries in an index with those of the new document. */
export function reindex(
  index: OrderedIndex,
  id: number,
  before: Doc | undefined,
  after: Doc | undefined,
): void {
  if (before && after && index.hasSameKeys(before, after)) return;
  const oldEntries = before === undefined ? [] : index.keysOf(before, id);
  const newEntries = after === undefined ? [] : index.keysOf(after, id);
  if (oldEntries.length === 1 && newEntries.length === 1 && oldEntries[0] === newEntries[0]) return;
  if (oldEntries.length > 0) index.remove(oldEntries);
  if (newEntries.length > 0) index.insert(newEntries);
}
