import type { Collection } from './collection.js';
import type { OrderedIndex } from './ordered-index.js';
import { TransactionView } from './transaction-view.js';

/** An open transaction: for each collection what it sees differently from the committed state. */
export class Transaction {
  /** Resolves when the transaction has committed or aborted. */
  readonly ended: Promise<void>;
  readonly #registry: Set<Transaction>;
  readonly #views = new Map<Collection, TransactionView>();
  #end: () => void = () => undefined;

  /** Begins: from now on, writes of others are hidden from it. */
  constructor(registry: Set<Transaction>) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#registry = registry;
    registry.add(this);
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

  /** Makes its writes the committed state. */
  commit(): void {
    this.#registry.delete(this);
    for (const [collection, view] of this.#views) {
      for (const [id, stored] of view.writes()) {
        for (const other of this.#registry) other.preserve(collection, id);
        collection.put(id, stored);
      }
    }
    this.#release();
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
