import { Long } from 'bson';
import type { Doc } from '../bson/decode.js';
import { CommandError } from '../errors.js';
import { compileFilter } from '../query/evaluation.js';
import { type Command, type CommandContext, collectionName, environmentOf } from './command.js';
import { docOf } from './fields.js';

/** `ping` shows that the server answers. */
export const ping: Command = { fields: {}, transactional: false, run: () => ({}) };

export const buildInfo: Command = {
  fields: {},
  transactional: false,
  run: ({ server }) => ({
    version: server.version,
    versionArray: [7, 0, 0, 0],
    gitVersion: 'embedded',
    modules: ['embedded'],
    storageEngines: ['embedded'],
    bits: 64,
    debug: false,
    maxBsonObjectSize: 16 * 1024 * 1024,
  }),
};

export const connectionStatus: Command = {
  fields: { showPrivileges: 'bool' },
  transactional: false,
  run: () => ({ authInfo: { authenticatedUsers: [], authenticatedUserRoles: [] } }),
};

export const serverStatus: Command = {
  fields: {},
  transactional: false,
  run: ({ server, now }) => ({
    host: server.address,
    version: server.version,
    process: 'mongod',
    pid: Long.fromNumber(process.pid),
    uptime: process.uptime(),
    localTime: now,
    storageEngine: { name: 'embedded', persistent: false },
  }),
};

export const getParameter: Command = {
  fields: {
    featureCompatibilityVersion: 'any',
    transactionLifetimeLimitSeconds: 'any',
    authenticationMechanisms: 'any',
  },
  transactional: false,
  run: ({ body }) => {
    const known: Doc = {
      featureCompatibilityVersion: { version: '7.0' },
      transactionLifetimeLimitSeconds: 60,
      authenticationMechanisms: [],
    };
    const asked = Object.entries(known).filter(
      ([name]) => body.getParameter === '*' || body[name] !== undefined,
    );
    if (asked.length === 0) throw new CommandError(72, 'no option found to get');
    return Object.fromEntries(asked);
  },
};

export const listDatabases: Command = {
  fields: { filter: 'object', nameOnly: 'bool', authorizedDatabases: 'bool' },
  transactional: false,
  run: (context) => {
    const { body, catalog } = context;
    const matches = compileFilter(docOf(body, 'filter'), environmentOf(context));
    const databases = catalog.databaseNames().map((name) => {
      const sizeOnDisk = sizeOf(context, name);
      return { name, sizeOnDisk: Long.fromNumber(sizeOnDisk), empty: sizeOnDisk === 0 };
    });
    const found = databases.filter(matches);
    if (body.nameOnly) return { databases: found.map(({ name }) => ({ name })) };
    const total = found.reduce((sum, { sizeOnDisk }) => sum + sizeOnDisk.toNumber(), 0);
    return {
      databases: found,
      totalSize: Long.fromNumber(total),
      totalSizeMb: Long.fromNumber(Math.floor(total / 2 ** 20)),
    };
  },
};

function sizeOf({ catalog }: CommandContext, database: string): number {
  return [...catalog.collections(database).values()].reduce((sum, { dataSize }) => sum + dataSize, 0);
}

export const dbStats: Command = {
  fields: { scale: 'number', freeStorage: 'number' },
  transactional: false,
  run: (context) => {
    const collections = [...context.catalog.collections(context.database).values()];
    const size = sizeOf(context, context.database);
    return {
      db: context.database,
      collections: collections.length,
      views: 0,
      objects: collections.reduce((sum, { records }) => sum + records.size, 0),
      dataSize: size,
      storageSize: size,
      indexes: collections.reduce((sum, { indexes }) => sum + indexes.size, 0),
    };
  },
};

export const collStats: Command = {
  fields: { scale: 'number' },
  transactional: false,
  run: (context) => {
    const name = collectionName(context, context.body.collStats === undefined ? 'collstats' : 'collStats');
    const collection = context.catalog.find(context.database, name);
    const count = collection?.records.size ?? 0;
    const size = collection?.dataSize ?? 0;
    return {
      ns: `${context.database}.${name}`,
      size,
      count,
      ...(count > 0 && { avgObjSize: Math.floor(size / count) }),
      storageSize: size,
      nindexes: collection?.indexes.size ?? 0,
      capped: false,
    };
  },
};
