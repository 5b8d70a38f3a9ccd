import type { Doc } from '../bson/decode.js';
import { type Catalog, checkCollectionName } from './catalog.js';
import { Collection } from './collection.js';
import { snapshotUnavailable, writeConflict } from './conflicts.js';
import type { CollectionChange, OpenTransaction } from './open-transaction.js';
import type { OrderedIndex } from './ordered-index.js';
import { TransactionView } from './transaction-view.js';

/** A collection that a transaction may make. Others see it only after the commit. */
interface NewCollection {
  readonly database: string;
  readonly collection: Collection;
  /** True after `create` or `createIndexes`. Otherwise the first document written makes the collection. */
  made: boolean;
}

/** An open transaction with a view of each collection that differs from the committed state. */
export class Transaction implements OpenTransaction {
  readonly ended: Promise<void>;
  readonly #catalog: Catalog;
  readonly #registry: Set<OpenTransaction>;
  readonly #views = new Map<Collection, TransactionView>();
  readonly #new = new Map<string, NewCollection>();
  /** The first change of each collection that others have made or dropped since the transaction began. */
  readonly #changed = new Map<string, CollectionChange>();
  #end: () => void = () => undefined;

  /** Begins the transaction. From now on it does not see the writes of others. */
  constructor(catalog: Catalog) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#catalog = catalog;
    this.#registry = catalog.transactions;
    this.#registry.add(this);
  }

  noteChange(namespace: string, change: CollectionChange): void {
    if (!this.#changed.has(namespace)) this.#changed.set(namespace, change);
  }

  /**
   * Returns a collection that the transaction made itself, or the committed one.
   *
   * @throws CommandError 246 (SnapshotUnavailable) for a collection that was dropped since the transaction began
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
   * Returns the collection to write to. A missing collection is made by its first document.
   *
   * @throws CommandError 112 (WriteConflict) for a collection that was made or dropped since the transaction began
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

  /** Makes a collection that only the transaction sees until it commits. */
  create(database: string, name: string, options: Doc): Collection {
    const created = this.#prepare(database, name);
    created.made = true;
    created.collection.options = options;
    return created.collection;
  }

  /** Returns whether the transaction made the collection itself. */
  hasMade(collection: Collection): boolean {
    return [...this.#new.values()].some((one) => one.collection === collection && this.#isMade(one));
  }

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

  /** Returns the collection as this transaction sees it. */
  viewOf(collection: Collection, namespace: string): TransactionView {
    const view = this.#views.get(collection) ?? new TransactionView(collection, this, this.#registry);
    view.namespace = namespace;
    this.#views.set(collection, view);
    return view;
  }

  uses(collection: Collection): boolean {
    return this.#views.has(collection);
  }

  preserve(collection: Collection, id: number): void {
    const view = this.#views.get(collection) ?? new TransactionView(collection, this, this.#registry);
    this.#views.set(collection, view);
    view.preserve(id);
  }

  hasWritten(collection: Collection, index: OrderedIndex, key: string): boolean {
    return this.#views.get(collection)?.hasWritten(index, key) ?? false;
  }

  /** Discards the view of an empty collection that the transaction made, because its indexes have changed. */
  refresh(collection: Collection): void {
    this.#views.delete(collection);
  }

  /**
   * Commits the writes. If another client has made one of the same collections meanwhile, does nothing and returns false.
   */
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

  /** Discards the writes. */
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
