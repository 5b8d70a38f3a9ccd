import type { MongoClient } from 'mongodb';
import { withinTime } from '../src/mongo/within-time.js';

/** Idle time in milliseconds after which connections may be dead, because the container may have been frozen. */
const IDLE_MS = 10_000;

/** How long the database may take to answer a ping, in milliseconds. After that, the connections are closed. */
const PATIENCE_MS = 2_000;

/**
 * Returns a function that connects a client at the beginning of each invocation. After a pause, the function first
 * sends a ping to check the connections. Otherwise the driver would notice one dead connection after another, each
 * after 20 s, until the invocation runs out of time.
 *
 * Use this only in a process that does one thing at a time, since closing dead connections aborts any work on them.
 */
export function livingConnections(client: MongoClient): () => Promise<void> {
  let used = Date.now();
  return async () => {
    const isStale = Date.now() - used > IDLE_MS;
    used = Date.now();
    if (isStale) await withinTime(PATIENCE_MS, client.db().command({ ping: 1 })).catch(() => client.close());
    await client.connect();
  };
}
