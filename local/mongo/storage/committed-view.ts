import type { Doc } from '../bson/decode.js';
import type { Collection } from './collection.js';
import { duplicateKey, LockedRecord } from './conflicts.js';
import { TreeCursor } from './index-cursor.js';
import type { Journal } from './journal.js';
import { recordOf } from './key-string.js';
import type { OpenTransaction } from './open-transaction.js';
import type { OrderedIndex } from './ordered-index.js';
import type { IndexCursor, View } from './view.js';

/** The committed state, which every command outside a transaction sees and changes. */
export class CommittedView implements View {
  readonly #collection: Collection;
  readonly #transactions: ReadonlySet<OpenTransaction>;
  readonly #journal: Journal | undefined;
  readonly #namespace: string;
  /** Creates the missing collection. Undefined if it exists. */
  readonly #make: (() => void) | undefined;

  constructor(
    collection: Collection,
    namespace: string,
    transactions: ReadonlySet<OpenTransaction>,
    journal: Journal | undefined,
    make?: () => void,
  ) {
    this.#collection = collection;
    this.#namespace = namespace;
    this.#transactions = transactions;
    this.#journal = journal;
    this.#make = make;
  }

  get exists(): boolean {
    return this.#make === undefined;
  }

  get indexes(): ReadonlyMap<string, OrderedIndex> {
    return this.#collection.indexes;
  }

  get count(): number {
    return this.#collection.records.size;
  }

  get(id: number): string | undefined {
    return this.#collection.records.get(id);
  }

  ids(): Iterable<number> {
    return this.#collection.records.keys();
  }

  cursor(index: OrderedIndex, forward: boolean): IndexCursor {
    return new TreeCursor(index, forward);
  }

  insert(stored: string, doc: Doc): void {
    this.#make?.();
    this.#checkUnique(doc);
    this.#write(this.#collection.nextId(), stored, undefined, doc);
  }

  replace(id: number, stored: string, before: Doc, after: Doc): void {
    this.#requireUnlocked(id);
    this.#checkUnique(after, { id, before });
    this.#write(id, stored, before, after);
  }

  remove(id: number, before: Doc): void {
    this.#requireUnlocked(id);
    this.#write(id, undefined, before, undefined);
  }

  #write(id: number, stored: string | undefined, before: Doc | undefined, after: Doc | undefined): void {
    for (const transaction of this.#transactions) transaction.preserve(this.#collection, id);
    this.#collection.put(id, stored, this.#journal, before, after);
  }

  #requireUnlocked(id: number): void {
    const owner = this.#collection.locks.get(id);
    if (owner !== undefined) throw new LockedRecord(owner);
  }

  /** @param replaced the old version, whose keys the document may keep */
  #checkUnique(doc: Doc, replaced?: { readonly id: number; readonly before: Doc }): void {
    for (const index of this.#collection.indexes.values()) {
      if (!index.definition.unique || (replaced && index.hasSameKeys(replaced.before, doc))) continue;
      for (const key of index.keysOf(doc)) this.#checkKey(index, key, doc, replaced?.id);
    }
  }

  #checkKey(index: OrderedIndex, key: string, doc: Doc, self: number | undefined): void {
    for (const transaction of this.#transactions) {
      if (transaction.hasWritten(this.#collection, index, key)) throw new LockedRecord(transaction);
    }
    const holder = holderOf(index, key, self);
    if (holder === undefined) return;
    this.#requireUnlocked(holder);
    throw duplicateKey(this.#namespace, index.definition, doc);
  }
}

/** Returns the record, except `self`, that has this key in the index. */
export function holderOf(index: OrderedIndex, key: string, self: number | undefined): number | undefined {
  let entry = index.seek(key, true);
  while (entry !== undefined && entry.length === key.length + 6 && entry.startsWith(key)) {
    const id = recordOf(entry);
    if (id !== self) return id;
    entry = index.after(entry, true);
  }
  return undefined;
}
