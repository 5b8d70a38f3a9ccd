import type { Doc } from '../bson/decode.js';
import { CommandError } from '../errors.js';
import { Collection } from './collection.js';
import { CommittedView } from './committed-view.js';
import type { Journal } from './journal.js';
import type { CollectionChange, OpenTransaction } from './open-transaction.js';
import type { View } from './view.js';

/** All databases and their collections. */
export class Catalog {
  /** The open transactions. Each is notified of every write, so that it can keep the old version. */
  readonly transactions = new Set<OpenTransaction>();
  readonly #databases = new Map<string, Map<string, Collection>>();

  /** Returns the names of the databases that have a collection. */
  databaseNames(): string[] {
    return [...this.#databases.keys()].sort();
  }

  /** Returns the collections of a database by name. */
  collections(database: string): ReadonlyMap<string, Collection> {
    return this.#databases.get(database) ?? new Map();
  }

  find(database: string, name: string): Collection | undefined {
    return this.#databases.get(database)?.get(name);
  }

  create(database: string, name: string, options: Doc): Collection {
    const collection = new Collection(name, options);
    this.add(database, collection);
    return collection;
  }

  /** Adds a collection. Throws 73 for an invalid name. */
  add(database: string, collection: Collection): void {
    checkCollectionName(collection.name);
    const collections = this.#databases.get(database) ?? new Map<string, Collection>();
    collections.set(collection.name, collection);
    this.#tell(database, collection.name, 'made');
    this.#databases.set(database, collections);
  }

  /** Removes a collection. A database ends with its last collection. */
  drop(database: string, name: string): void {
    const collections = this.#databases.get(database);
    if (collections?.delete(name)) this.#tell(database, name, 'dropped');
    if (collections?.size === 0) this.#databases.delete(database);
  }

  dropDatabase(database: string): void {
    for (const name of [...this.collections(database).keys()]) this.drop(database, name);
  }

  /**
   * Tells open transactions of a change. A transaction does not see collections made after it began, and cannot write to
   * collections changed since.
   */
  #tell(database: string, name: string, change: CollectionChange): void {
    for (const transaction of this.transactions) transaction.noteChange(`${database}.${name}`, change);
  }

  /** Renames a collection, also into another database. */
  rename(from: { database: string; name: string }, to: { database: string; name: string }): void {
    const collection = this.find(from.database, from.name);
    if (collection === undefined) return;
    checkCollectionName(to.name);
    this.drop(from.database, from.name);
    collection.name = to.name;
    this.add(to.database, collection);
  }

  /** Returns the committed state of a collection. A missing collection is empty, and the first insert creates it. */
  view(database: string, name: string, journal?: Journal): View {
    const existing = this.find(database, name);
    const collection = existing ?? new Collection(name);
    const make = existing ? undefined : () => this.add(database, collection);
    return new CommittedView(collection, `${database}.${name}`, this.transactions, journal, make);
  }
}

/** Throws 73 for a name that no collection may have. */
export function checkCollectionName(name: string): void {
  const wrong = name === '' || name.startsWith('.') || name.endsWith('.') || /[$\0]/.test(name);
  if (wrong) throw new CommandError(73, `Invalid collection name: ${name}`);
}
