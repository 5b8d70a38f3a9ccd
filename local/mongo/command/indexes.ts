import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import type { Collection } from '../storage/collection.js';
import type { Transaction } from '../storage/transaction.js';
import { encode } from '../wire/message.js';
import { addIndexes, areThere } from './add-indexes.js';
import { type Command, type CommandContext, collectionName, environmentOf } from './command.js';
import { requireNoTransaction } from './ddl.js';
import { listOf } from './fields.js';
import { indexMatching } from './index-lookup.js';

/** `createIndexes` builds indexes that do not exist yet. */
export const createIndexes: Command = {
  fields: { 'indexes!': 'array', commitQuorum: 'any', ignoreUnknownIndexOptions: 'bool' },
  transactional: true,
  run: async (context) => {
    const { body, catalog, database, transaction } = context;
    const name = collectionName(context, 'createIndexes');
    const existing = (transaction ?? catalog).find(database, name);
    const collection = existing ?? (transaction ?? catalog).create(database, name, {});
    const specs = listOf(body, 'indexes');
    const environment = environmentOf(context);
    if (transaction === undefined && !areThere(collection, specs, environment))
      await requireNoTransaction(context, collection);
    const before = collection.indexes.size;
    addIndexes(collection, specs, `${database}.${name}`, environment, () => {
      if (transaction) requireOwnAndEmpty(transaction, collection, `${database}.${name}`);
    });
    const after = collection.indexes.size;
    return {
      numIndexesBefore: before,
      numIndexesAfter: after,
      createdCollectionAutomatically: existing === undefined,
      ...(before === after && { note: 'all indexes already exist' }),
    };
  },
};

/**
 * Throws unless the transaction itself made the collection and the collection is empty. A transaction may not add indexes
 * to any other collection.
 */
function requireOwnAndEmpty(transaction: Transaction, collection: Collection, namespace: string): void {
  const own = transaction.hasMade(collection);
  if (!own || transaction.viewOf(collection, namespace).count > 0) {
    const which = own ? 'non-empty' : 'existing';
    throw new CommandError(
      263,
      `Cannot create new indexes on ${which} collection ${namespace} in a multi-document transaction.`,
    );
  }
  transaction.refresh(collection);
}

/** `listIndexes` lists the specifications of a collection's indexes. */
export const listIndexes: Command = {
  fields: { cursor: 'object' },
  transactional: false,
  run: (context) => {
    const name = collectionName(context, 'listIndexes');
    const specs = [...existing(context, name).indexes.values()].map(({ definition }) =>
      encode(definition.spec),
    );
    return {
      cursor: context.cursors.first(
        `${context.database}.${name}`,
        specs,
        Number.MAX_SAFE_INTEGER,
        context.sessionId,
      ),
    };
  },
};

/** `dropIndexes` drops indexes by name, by key, by several names, or all with `*`. The index on `_id` always stays. */
export const dropIndexes: Command = {
  fields: { 'index!': 'any' },
  transactional: false,
  run: async (context) => {
    const collection = existing(context, collectionName(context, 'dropIndexes'));
    await requireNoTransaction(context, collection);
    const nIndexesWas = collection.indexes.size;
    for (const name of namesToDrop(collection, context.body.index)) collection.indexes.delete(name);
    return { nIndexesWas };
  },
};

function existing({ catalog, database }: CommandContext, name: string): Collection {
  const collection = catalog.find(database, name);
  if (collection) return collection;
  throw new CommandError(26, `ns does not exist: ${database}.${name}`);
}

function namesToDrop(collection: Collection, index: unknown): string[] {
  if (index === '*') return [...collection.indexes.keys()].filter((name) => name !== '_id_');
  const wanted: unknown[] = Array.isArray(index) ? index : [index];
  return wanted.map((one) => {
    if (typeof one !== 'string' && !isDoc(one))
      throw new CommandError(14, 'index must be a string, an array or an object');
    const found = indexMatching(collection.indexes, one);
    if (found === undefined) throw notFound(one);
    if (found.definition.name === '_id_') throw new CommandError(72, 'cannot drop _id index');
    return found.definition.name;
  });
}

function notFound(index: string | Doc): CommandError {
  if (typeof index === 'string') return new CommandError(27, `index not found with name [${index}]`);
  return new CommandError(27, `can't find index with key: ${JSON.stringify(index)}`);
}
