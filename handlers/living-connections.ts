import type { MongoClient } from 'mongodb';
import { withinTime } from '../src/mongo/within-time.js';

/** Idle time after which a container may have been frozen, so that its connections may be dead. */
const IDLE_MS = 10_000;

/** How long the database may take to answer a ping. After that, its connections are closed. */
const PATIENCE_MS = 2_000;

/**
 * Returns a function that connects a client at the beginning of each invocation. After a pause it first pings, to check
 * that the connections still work. Otherwise the driver would notice each dead connection only after 20 s, one after
 * another, until the invocation runs out of time.
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
