import { hostname, userInfo } from 'node:os';
import type { MongoClient } from 'mongodb';
import type { Caller } from '../../../handlers/http/access.js';
import { createApp } from '../../../handlers/http/app.js';
import { createKick } from '../../../handlers/kick.js';
import { openCollections } from '../../../src/collections/collections.js';
import { type Environment, readConfig } from '../../../src/config.js';
import { type Logger, RemoteProcessor } from '../../../src/index.js';
import { closeMongoClients, isConnectionString, mongoClient } from '../../../src/mongo/client.js';
import { hasServerCode } from '../../../src/mongo/driver-error.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import type { Connection } from './connection.js';

/** Runs the HTTP app in this process, on the database of MONGODB_URI. Everyone who can use the database may do anything. */
export async function inProcess(env: Environment, log: Logger): Promise<Connection> {
  const { db, config } = await connectToDatabase(env);
  const { COLLECTION_PREFIX: collectionPrefix } = config;
  const kick = createKick({
    functionName: config.WORKER_FUNCTION_NAME,
    queueUrl: config.WAKE_UP_QUEUE_URL,
    endpoint: config.LAMBDA_ENDPOINT,
    log,
  });
  const caller: Caller = { id: userAndMachine(), role: 'admin', via: 'cli' };
  const app = createApp({
    processor: new RemoteProcessor({ db, collectionPrefix, kick, log }),
    apiKeys: [],
    // Only this process can call it.
    identify: async ({ set }, next) => {
      set('caller', caller);
      await next();
    },
    log,
  });
  return {
    url: 'http://in-process.invalid',
    apiKey: 'none',
    send: async (request) => app.fetch(request),
    close: closeMongoClients,
  };
}

/** Names the user of the command line, such as `ann@laptop`, for the audit log and for operations. */
function userAndMachine(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `unknown@${hostname()}`; // In a container, a user may have no name.
  }
}

/**
 * Connects to the database of MONGODB_URI and MONGODB_DATABASE. Call `closeMongoClients` to disconnect.
 *
 * @throws CommandFailure if MONGODB_URI is not set, or the database does not answer or refuses access; ValidationError
 *   for bad settings
 */
export async function connectToDatabase(env: Environment) {
  const config = readConfig(env);
  const { MONGODB_URI } = config;
  if (MONGODB_URI === undefined)
    throw new CommandFailure(
      exitCode.usage,
      'Where? Set MONGODB_URI to work on a database, or give --url to work on a deployment',
      { code: 'wrong_usage' },
    );
  const client = await connectTo(MONGODB_URI, 'of MONGODB_URI');
  const db = client.db(config.MONGODB_DATABASE);
  return {
    db,
    collections: openCollections(db, config.COLLECTION_PREFIX),
    config: { ...config, MONGODB_URI },
  };
}

/**
 * Connects to the server of a connection string. Call `closeMongoClients` to disconnect.
 *
 * @param which names the database in messages, since the connection string may hold a password
 * @throws CommandFailure if the string is no connection string, or the database does not answer or refuses access
 */
export async function connectTo(uri: string, which: string): Promise<MongoClient> {
  if (!isConnectionString(uri))
    throw new CommandFailure(exitCode.usage, `The address ${which} is no mongodb:// connection string`, {
      code: 'wrong_usage',
    });
  const client = mongoClient(uri, SINGLE_USER);
  return client.connect().catch((error: unknown) => explainNoConnection(error, which));
}

/** The number of connections, enough for the few things that a person asks for at a time. */
const SINGLE_USER = 5;

async function explainNoConnection(error: unknown, which: string): Promise<never> {
  await closeMongoClients();
  const reason = error instanceof Error ? error.message : String(error);
  if (hasServerCode(error, ...refusals))
    throw new CommandFailure(exitCode.refused, `The database ${which} lets nobody in so: ${reason}`, {
      code: 'unauthorized',
      cause: error,
    });
  throw new CommandFailure(exitCode.unreachable, `The database ${which} cannot be reached: ${reason}`, {
    code: 'database_unreachable',
    cause: error,
  });
}

/** The codes of Unauthorized and AuthenticationFailed, and Atlas's own code for the latter. */
const refusals = [13, 18, 8000];
