import type { Doc } from '../bson/decode.js';
import { type Collection, reindex } from './collection.js';
import { holderOf } from './committed-view.js';
import { duplicateKey, writeConflict } from './conflicts.js';
import { HidingCursor, MergedCursor, TreeCursor } from './index-cursor.js';
import { recordOf } from './key-string.js';
import type { OpenTransaction } from './open-transaction.js';
import { OrderedIndex } from './ordered-index.js';
import { decodeStored } from './stored.js';
import type { IndexCursor, View } from './view.js';

/**
 * A collection as one transaction sees it. Shows the committed state, except for some records. Records that the
 * transaction wrote appear in their new version. Records that others changed since it began appear in their old version.
 * The view keeps these versions in indexes of its own. Its cost grows with their number, not with the collection.
 */
export class TransactionView implements View {
  namespace = '';
  readonly #collection: Collection;
  readonly #transaction: OpenTransaction;
  readonly #others: ReadonlySet<OpenTransaction>;
  /** The old versions of records that others have changed since the transaction began. */
  readonly #preserved = new Map<number, string | undefined>();
  readonly #written = new Map<number, string | undefined>();
  readonly #indexes = new Map<string, OrderedIndex>();

  constructor(collection: Collection, transaction: OpenTransaction, others: ReadonlySet<OpenTransaction>) {
    this.#collection = collection;
    this.#transaction = transaction;
    this.#others = others;
    for (const [name, index] of collection.indexes) {
      this.#indexes.set(name, new OrderedIndex(index.definition));
    }
  }

  get exists(): boolean {
    return this.#transaction.knows(this.#collection);
  }

  get indexes(): ReadonlyMap<string, OrderedIndex> {
    return this.#collection.indexes;
  }

  get count(): number {
    let count = 0;
    for (const _ of this.ids()) count += 1;
    return count;
  }

  get(id: number): string | undefined {
    if (this.#written.has(id)) return this.#written.get(id);
    return this.#preserved.has(id) ? this.#preserved.get(id) : this.#collection.records.get(id);
  }

  *ids(): Iterable<number> {
    for (const id of this.#collection.records.keys()) if (!this.#isOwn(id)) yield id;
    const own = new Set([...this.#preserved.keys(), ...this.#written.keys()]);
    for (const id of own) if (this.get(id) !== undefined) yield id;
  }

  cursor(index: OrderedIndex, forward: boolean): IndexCursor {
    const committed = new HidingCursor(new TreeCursor(index, forward), (key) => this.#isOwn(recordOf(key)));
    const own = this.#indexes.get(index.definition.name);
    return own ? new MergedCursor([committed, new TreeCursor(own, forward)], forward) : committed;
  }

  insert(stored: string, doc: Doc): void {
    this.#checkUnique(doc, undefined);
    this.#write(this.#collection.nextId(), stored);
  }

  replace(id: number, stored: string, _before: Doc, after: Doc): void {
    this.#requireUnchanged(id);
    this.#checkUnique(after, id);
    this.#write(id, stored);
  }

  remove(id: number, _before: Doc): void {
    this.#requireUnchanged(id);
    this.#write(id, undefined);
  }

  /** Keeps the present version of a record that another writer is about to change. */
  preserve(id: number): void {
    if (this.#isOwn(id)) return;
    this.#set(this.#preserved, id, this.#collection.records.get(id));
  }

  /** Returns whether one of the transaction's uncommitted documents has the key. */
  hasWritten(index: OrderedIndex, key: string): boolean {
    const own = this.#indexes.get(index.definition.name);
    const holder = own && holderOf(own, key, undefined);
    return holder !== undefined && this.#written.has(holder);
  }

  /** Returns the new version of each record written. It is `undefined` for a removed record. */
  writes(): ReadonlyMap<number, string | undefined> {
    return this.#written;
  }

  #isOwn(id: number): boolean {
    return this.#written.has(id) || this.#preserved.has(id);
  }

  #write(id: number, stored: string | undefined): void {
    this.#collection.locks.set(id, this.#transaction);
    this.#set(this.#written, id, stored);
  }

  #set(into: Map<number, string | undefined>, id: number, stored: string | undefined): void {
    const before = this.#isOwn(id) ? this.get(id) : undefined;
    into.set(id, stored);
    const oldDoc = before === undefined ? undefined : decodeStored(before);
    const newDoc = stored === undefined ? undefined : decodeStored(stored);
    for (const [name, index] of this.#indexes) {
      reindex(index, id, oldDoc, newDoc);
      const committed = this.#collection.indexes.get(name);
      for (const field of index.multikeyFields) committed?.multikeyFields.add(field);
    }
  }

  #requireUnchanged(id: number): void {
    const owner = this.#collection.locks.get(id);
    if (owner !== undefined && owner !== this.#transaction) throw writeConflict();
    if (this.#preserved.has(id)) throw writeConflict();
  }

  #checkUnique(doc: Doc, self: number | undefined): void {
    for (const index of this.#collection.indexes.values()) {
      if (!index.definition.unique) continue;
      for (const key of index.keysOf(doc)) this.#checkKey(index, key, doc, self);
    }
  }

  #checkKey(index: OrderedIndex, key: string, doc: Doc, self: number | undefined): void {
    for (const other of this.#others) {
      if (other !== this.#transaction && other.hasWritten(this.#collection, index, key))
        throw writeConflict();
    }
    const own = this.#indexes.get(index.definition.name);
    const ownHolder = own && holderOf(own, key, self);
    if (ownHolder !== undefined) {
      if (!this.#written.has(ownHolder)) throw writeConflict();
      throw duplicateKey(this.namespace, index.definition, doc);
    }
    const holder = holderOf(index, key, self);
    if (holder === undefined || this.#written.has(holder)) return;
    this.#requireUnchanged(holder);
    throw duplicateKey(this.namespace, index.definition, doc);
  }
}
