import type { Doc } from '../bson/decode.js';
import { type Catalog, checkCollectionName } from './catalog.js';
import { Collection } from './collection.js';
import { snapshotUnavailable, writeConflict } from './conflicts.js';
import type { OrderedIndex } from './ordered-index.js';
import { TransactionView } from './transaction-view.js';

/** A collection that a transaction may make. Others see it after the commit, if it was made. */
interface NewCollection {
  readonly database: string;
  readonly collection: Collection;
  /** Made by `create` or `createIndexes`; else it is made by the first document written to it. */
  made: boolean;
}

/** What became of a collection after a transaction began. */
export type CollectionChange = 'made' | 'dropped';

/** An open transaction: for each collection what it sees differently from the committed state. */
export class Transaction {
  /** Resolves when the transaction has committed or aborted. */
  readonly ended: Promise<void>;
  readonly #catalog: Catalog;
  readonly #registry: Set<Transaction>;
  readonly #views = new Map<Collection, TransactionView>();
  readonly #new = new Map<string, NewCollection>();
  /** The first change of each collection that others have made or dropped since it began. */
  readonly #changed = new Map<string, CollectionChange>();
  #end: () => void = () => undefined;

  /** Begins: from now on, writes of others are hidden from it. */
  constructor(catalog: Catalog) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#catalog = catalog;
    this.#registry = catalog.transactions;
    this.#registry.add(this);
  }

  /** Takes note of a collection that somebody else has made or dropped. */
  noteChange(namespace: string, change: CollectionChange): void {
    if (!this.#changed.has(namespace)) this.#changed.set(namespace, change);
  }

  /**
   * The collection as the transaction knows it: one that it made itself, or the committed one.
   *
   * @throws CommandError 246 (SnapshotUnavailable) for one that was dropped since the transaction began
   */
  find(database: string, name: string): Collection | undefined {
    const namespace = `${database}.${name}`;
    const own = this.#own(namespace);
    if (own) return own;
    const change = this.#changed.get(namespace);
    if (change === 'dropped') throw snapshotUnavailable();
    return change === 'made' ? undefined : this.#catalog.find(database, name);
  }

  /**
   * The collection to write to; one that does not exist is made by the first document.
   *
   * @throws CommandError 112 (WriteConflict) for one that was made or dropped since the transaction began
   */
  findOrPrepare(database: string, name: string): Collection {
    return (
      this.#own(`${database}.${name}`) ??
      this.#unchanged(database, name) ??
      this.#prepare(database, name).collection
    );
  }

  #own(namespace: string): Collection | undefined {
    const own = this.#new.get(namespace);
    return own && this.#isMade(own) ? own.collection : undefined;
  }

  #unchanged(database: string, name: string): Collection | undefined {
    if (this.#changed.has(`${database}.${name}`)) throw writeConflict();
    return this.#catalog.find(database, name);
  }

  /** Makes a collection, for itself until it commits. */
  create(database: string, name: string, options: Doc): Collection {
    const created = this.#prepare(database, name);
    created.made = true;
    created.collection.options = options;
    return created.collection;
  }

  /** Whether it made the collection itself. */
  hasMade(collection: Collection): boolean {
    return [...this.#new.values()].some((one) => one.collection === collection && this.#isMade(one));
  }

  /** Whether the collection is there for it: false for one that its first document would make. */
  knows(collection: Collection): boolean {
    const own = [...this.#new.values()].find((one) => one.collection === collection);
    return own === undefined || this.#isMade(own);
  }

  #prepare(database: string, name: string): NewCollection {
    checkCollectionName(name);
    const namespace = `${database}.${name}`;
    if (this.#changed.has(namespace)) throw writeConflict();
    const prepared = this.#new.get(namespace) ?? { database, collection: new Collection(name), made: false };
    this.#new.set(namespace, prepared);
    return prepared;
  }

  #isMade({ collection, made }: NewCollection): boolean {
    return made || (this.#views.get(collection)?.writes().size ?? 0) > 0;
  }

  /** The collection as this transaction sees it. */
  viewOf(collection: Collection, namespace: string): TransactionView {
    const view = this.#views.get(collection) ?? new TransactionView(collection, this, this.#registry);
    view.namespace = namespace;
    this.#views.set(collection, view);
    return view;
  }

  /** Whether it has read or written the collection, which may then not be changed as such. */
  uses(collection: Collection): boolean {
    return this.#views.has(collection);
  }

  /** Keeps what a record is for this transaction, before somebody else changes it. */
  preserve(collection: Collection, id: number): void {
    const view = this.#views.get(collection) ?? new TransactionView(collection, this, this.#registry);
    this.#views.set(collection, view);
    view.preserve(id);
  }

  /** Whether it has an uncommitted document with this key in the index. */
  hasWritten(collection: Collection, index: OrderedIndex, key: string): boolean {
    return this.#views.get(collection)?.hasWritten(index, key) ?? false;
  }

  /** Begins anew with an empty collection of its own, whose indexes have changed. */
  refresh(collection: Collection): void {
    this.#views.delete(collection);
  }

  /** Makes its writes the committed state; false, and nothing done, if a collection it made now exists. */
  commit(): boolean {
    const made = [...this.#new.values()].filter((one) => this.#isMade(one));
    if (made.some(({ database, collection }) => this.#catalog.find(database, collection.name))) return false;
    this.#registry.delete(this);
    for (const { database, collection } of made) this.#catalog.add(database, collection);
    for (const [collection, view] of this.#views) {
      for (const [id, stored] of view.writes()) {
        for (const other of this.#registry) other.preserve(collection, id);
        collection.put(id, stored);
      }
    }
    this.#release();
    return true;
  }

  /** Forgets its writes. */
  abort(): void {
    this.#registry.delete(this);
    this.#release();
  }

  #release(): void {
    for (const [collection, view] of this.#views) {
      for (const [id] of view.writes()) collection.locks.delete(id);
    }
    this.#views.clear();
    this.#end();
  }
}
