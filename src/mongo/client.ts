import { MongoClient, type MongoClientOptions } from 'mongodb';
import { ELECTION_MS } from './election.js';

/** Connections for the processor's own commands, such as claims, settling and the heartbeat, besides one per job. */
const SPARE_CONNECTIONS = 5;

/**
 * Maximum size of a pool, for any number of threads. Jobs share claims and settling. A small database allows 1,500 connections
 * in all.
 */
const MAX_CONNECTIONS = 100;

/** Returns how many connections a worker needs that runs this many jobs at a time: one per job, and some for the processor. */
export function workerPoolSize(maxThreads: number): number {
  return Math.min(maxThreads + SPARE_CONNECTIONS, MAX_CONNECTIONS);
}

const clients = new Map<string, MongoClient>();

/**
 * Returns this process's client for a connection string and pool size. Every call with the same arguments returns the same
 * client, so that a warm Lambda container keeps its connections.
 *
 * Await its `connect()` before each use, which costs nothing while connected. A client may also connect implicitly, at its
 * first operation. If that fails, the client is unusable, because the driver never tries again.
 *
 * Settings in the connection string override the defaults here.
 *
 * @param maxPoolSize maximum number of connections per server, not counting the one that monitors it
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
 * Returns a new client whose commands have no time limit, whatever the connection string says. Building an index on
 * millions of documents takes minutes. Close the client after use.
 */
export function patientClient(uri: string): MongoClient {
  return new MongoClient(uri, { ...optionsFor(uri, defaultOptions(2)), socketTimeoutMS: 0 });
}

/** Closes a client made by `mongoClient`. Code that still holds the client may connect it again. */
export async function closeMongoClient(client: MongoClient): Promise<void> {
  for (const [key, kept] of clients) if (kept === client) clients.delete(key);
  await client.close();
}

/** Closes all clients made by `mongoClient`. Without that, a process such as a test or a script cannot end. */
export async function closeMongoClients(): Promise<void> {
  const closing = [...clients.values()].map((client) => client.close());
  clients.clear();
  await Promise.all(closing);
}

/** Returns whether the driver understands a connection string. */
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
    // While a container is frozen for long, the network closes its connections, so it is better not to reuse them.
    maxIdleTimeMS: 60_000,
    // Time limit that outlasts an election. A response, even "unreachable", must leave the HTTP function within its 29 s. The
    // driver retries once, so the wait is at most twice this limit.
    serverSelectionTimeoutMS: ELECTION_MS,
    connectTimeoutMS: 5_000,
    // None of our commands takes this long, so a connection that is silent for this long is dead.
    socketTimeoutMS: 20_000,
    waitQueueTimeoutMS: 10_000,
  };
}
