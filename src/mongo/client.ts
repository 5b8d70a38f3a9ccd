import { MongoClient, type MongoClientOptions } from 'mongodb';
import { ELECTION_MS } from './election.js';

/** Beside what the jobs ask of the processor: claims, settling, the heartbeat. */
const SPARE_CONNECTIONS = 5;

/** However many threads: claims and endings are shared, and a database of a small tier has 1,500 for all its clients. */
const MAX_CONNECTIONS = 100;

/** How many connections a worker needs that runs so many jobs at a time: more than its jobs and the processor ask for at once. */
export function workerPoolSize(maxThreads: number): number {
  return Math.min(maxThreads + SPARE_CONNECTIONS, MAX_CONNECTIONS);
}

const clients = new Map<string, MongoClient>();

/**
 * The client of this process for a connection string and a size: the same one at every call, so that a warm Lambda
 * container keeps its connections.
 *
 * Await its `connect()` before each use, which costs nothing while it is connected. A client that connects by
 * itself, at its first operation, is lost when that fails: the driver never tries again.
 *
 * What the connection string sets itself wins over what is set here.
 *
 * @param maxPoolSize how many connections it keeps at most to a server, beside the one that watches it
 */
export function mongoClient(uri: string, maxPoolSize: number): MongoClient {
  const key = `${maxPoolSize} ${uri}`;
  const existing = clients.get(key);
  if (existing) return existing;
  const client = new MongoClient(uri, optionsFor(uri, defaultOptions(maxPoolSize)));
  clients.set(key, client);
  return client;
}

/**
 * A client whose commands may take as long as they take, whatever the connection string says: of an index on millions of
 * documents that is minutes. One for each call; close it.
 */
export function patientClient(uri: string): MongoClient {
  return new MongoClient(uri, { ...optionsFor(uri, defaultOptions(2)), socketTimeoutMS: 0 });
}

/** Closes one that `mongoClient` made. Whoever has it still and connects it again may go on with it. */
export async function closeMongoClient(client: MongoClient): Promise<void> {
  for (const [key, kept] of clients) if (kept === client) clients.delete(key);
  await client.close();
}

/** Closes every client that `mongoClient` made: for a process that wants to end, such as a test or a script. */
export async function closeMongoClients(): Promise<void> {
  const closing = [...clients.values()].map((client) => client.close());
  clients.clear();
  await Promise.all(closing);
}

/** Whether the driver understands it. */
export function isConnectionString(text: string): boolean {
  try {
    new MongoClient(text);
    return true;
  } catch {
    return false;
  }
}

function optionsFor(uri: string, defaults: MongoClientOptions): MongoClientOptions {
  const set = new Set([...new URLSearchParams(uri.split('?')[1]).keys()].map((key) => key.toLowerCase()));
  const options = Object.entries(defaults);
  return Object.fromEntries(options.filter(([name]) => !set.has(name.toLowerCase())));
}

function defaultOptions(maxPoolSize: number): MongoClientOptions {
  return {
    appName: 'remote-processor',
    maxPoolSize,
    // A container that was frozen for long finds its connections closed by the network: better not to reuse them.
    maxIdleTimeMS: 60_000,
    // Outlasts an election. An answer, even "unreachable", must leave the HTTP function before its 29 s: with the driver's
    // retry of a read or write, the wait is at most twice this.
    serverSelectionTimeoutMS: ELECTION_MS,
    connectTimeoutMS: 5_000,
    // No command of ours takes long: a connection that is silent for so long died without a word.
    socketTimeoutMS: 20_000,
    waitQueueTimeoutMS: 10_000,
  };
}
