import { equal } from '../bson/compare.js';
import type { Doc } from '../bson/decode.js';
import { CommandError } from '../errors.js';
import { compileFilter } from '../query/evaluation.js';
import type { Collection } from '../storage/collection.js';
import { encode } from '../wire/message.js';
import { type Command, type CommandContext, collectionName, environmentOf } from './command.js';
import { docOf } from './fields.js';
import { requireSupported } from './unsupported.js';
import { endOf } from './write.js';

const REFUSED = [
  'collation',
  'capped',
  'size',
  'max',
  'timeseries',
  'clusteredIndex',
  'changeStreamPreAndPostImages',
  'validator',
  'validationLevel',
  'validationAction',
  'storageEngine',
  'indexOptionDefaults',
  'expireAfterSeconds',
  'encryptedFields',
];

/** `create` creates a collection or a view. */
export const create: Command = {
  fields: {
    ...Object.fromEntries(REFUSED.map((name) => [name, 'any' as const])),
    autoIndexId: 'bool',
    viewOn: 'string',
    pipeline: 'array',
    idIndex: 'object',
  },
  transactional: true,
  run: (context) => {
    const { body, catalog, database, transaction } = context;
    requireSupported(body, REFUSED);
    const name = collectionName(context, 'create');
    const options = optionsOf(body);
    if (transaction && options.viewOn !== undefined)
      throw new CommandError(263, 'Cannot create a view in a multi-document transaction');
    const existing = (transaction ?? catalog).find(database, name);
    if (existing === undefined) (transaction ?? catalog).create(database, name, options);
    else if (!equal(existing.options, options))
      throw new CommandError(48, `Collection ${database}.${name} already exists.`);
    return {};
  },
};

function optionsOf({ viewOn, pipeline }: Doc): Doc {
  if (viewOn !== undefined) return { viewOn, pipeline: pipeline ?? [] };
  if (pipeline !== undefined) throw new CommandError(72, "'pipeline' requires 'viewOn' to also be specified");
  return {};
}

/** `drop` removes a collection with its indexes. Since MongoDB 7.0 a missing collection is no error. */
export const drop: Command = {
  fields: {},
  transactional: false,
  run: async (context) => {
    const { catalog, database } = context;
    const name = collectionName(context, 'drop');
    const collection = catalog.find(database, name);
    if (collection === undefined) return {};
    await requireNoTransaction(context, collection);
    const nIndexesWas = collection.indexes.size;
    catalog.drop(database, name);
    return { nIndexesWas, ns: `${database}.${name}` };
  },
};

export const dropDatabase: Command = {
  fields: {},
  transactional: false,
  run: async (context) => {
    const { catalog, database } = context;
    const collections = [...catalog.collections(database).values()];
    for (const collection of collections) await requireNoTransaction(context, collection);
    catalog.dropDatabase(database);
    return collections.length > 0 ? { dropped: database } : {};
  },
};

/** `renameCollection` runs on the admin database. */
export const renameCollection: Command = {
  fields: { 'to!': 'string', dropTarget: 'bool' },
  transactional: false,
  run: async (context) => {
    const { body, catalog } = context;
    const from = namespaceOf(String(body.renameCollection));
    const to = namespaceOf(String(body.to));
    const source = catalog.find(from.database, from.name);
    if (source === undefined)
      throw new CommandError(26, `Source collection ${body.renameCollection} does not exist`);
    const target = catalog.find(to.database, to.name);
    if (target && !body.dropTarget) throw new CommandError(48, 'target namespace exists');
    await requireNoTransaction(context, source);
    if (target) await requireNoTransaction(context, target);
    catalog.rename(from, to);
    return {};
  },
};

function namespaceOf(namespace: string): { database: string; name: string } {
  const dot = namespace.indexOf('.');
  if (dot < 1) throw new CommandError(73, `Invalid namespace specified '${namespace}'`);
  return { database: namespace.slice(0, dot), name: namespace.slice(dot + 1) };
}

/** `listCollections` filters by the fields that it returns. */
export const listCollections: Command = {
  fields: { filter: 'object', nameOnly: 'bool', authorizedCollections: 'bool', cursor: 'object' },
  transactional: false,
  run: (context) => {
    const { body, catalog, cursors, database, sessionId } = context;
    const matches = compileFilter(docOf(body, 'filter'), environmentOf(context));
    const described = [...catalog.collections(database).values()].map((one) => describe(one, database));
    const docs = described
      .filter(matches)
      .map(({ name, type, ...rest }) => encode(body.nameOnly ? { name, type } : { name, type, ...rest }));
    return {
      cursor: cursors.first(`${database}.$cmd.listCollections`, docs, Number.MAX_SAFE_INTEGER, sessionId),
    };
  },
};

function describe(collection: Collection, database: string): Doc {
  const { name, options } = collection;
  if (options.viewOn !== undefined) return { name, type: 'view', options, info: { readOnly: true } };
  return {
    name: collection.name,
    type: 'collection',
    options: {},
    info: { readOnly: false, uuid: collection.uuid },
    idIndex: { v: 2, key: { _id: 1 }, name: '_id_', ns: `${database}.${collection.name}` },
  };
}

/** Waits until no open transaction uses the collection, because a collection must not change during a transaction. */
export async function requireNoTransaction(
  { body, catalog }: CommandContext,
  collection: Collection,
): Promise<void> {
  for (;;) {
    const user = [...catalog.transactions].find((transaction) => transaction.uses(collection));
    if (user === undefined) return;
    await endOf(user, body.maxTimeMS);
  }
}
