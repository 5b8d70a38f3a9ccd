import { MongoClient, type MongoClientOptions } from 'mongodb';

/** Beside the jobs' own: claims, settling, the heartbeat, and what jobs ask of the processor. */
const SPARE_CONNECTIONS = 5;

const clients = new Map<string, MongoClient>();

/**
 * The client of this process for a connection string: the same one at every call, so that a warm Lambda
 * container keeps its connections.
 *
 * Await its `connect()` before each use, which costs nothing while it is connected. A client that connects by
 * itself, at its first operation, is lost when that fails: the driver never tries again.
 *
 * What the connection string sets itself wins over what is set here.
 *
 * @param maxThreads how many jobs run at a time: sizes the pool, by the first call
 */
export function mongoClient(uri: string, maxThreads: number): MongoClient {
  const existing = clients.get(uri);
  if (existing) return existing;
  const client = new MongoClient(uri, optionsFor(uri, maxThreads));
  clients.set(uri, client);
  return client;
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

function optionsFor(uri: string, maxThreads: number): MongoClientOptions {
  const set = new Set([...new URLSearchParams(uri.split('?')[1]).keys()].map((key) => key.toLowerCase()));
  const options = Object.entries(defaultOptions(maxThreads));
  return Object.fromEntries(options.filter(([name]) => !set.has(name.toLowerCase())));
}

function defaultOptions(maxThreads: number): MongoClientOptions {
  return {
    appName: 'remote-processor',
    maxPoolSize: maxThreads + SPARE_CONNECTIONS,
    // A container that was frozen for long finds its connections closed by the network: better not to reuse them.
    maxIdleTimeMS: 60_000,
    // An answer, even "unreachable", must leave the HTTP function well before its 29 s. With the driver's retry
    // of a read or write, the wait is at most twice this.
    serverSelectionTimeoutMS: 5_000,
    connectTimeoutMS: 5_000,
    // No command of ours takes long: a connection that is silent for so long died without a word.
    socketTimeoutMS: 20_000,
    waitQueueTimeoutMS: 10_000,
  };
}
