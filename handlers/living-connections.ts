import type { MongoClient } from 'mongodb';
import { withinTime } from '../src/mongo/within-time.js';

/** The idle time after which a container may have been frozen, and its connections silently dead. */
const IDLE_MS = 10_000;

/** How long the database may take to answer a ping. After that its connections are closed. */
const PATIENCE_MS = 2_000;

/**
 * Returns a function that connects a client at the beginning of each invocation. After a pause it pings first, to see
 * whether the connections still live. Otherwise the driver would notice a dead connection only after 20 s, one after the
 * other, and the invocation's time would be over.
 *
 * Use this in a process that does one thing at a time, since work in progress on dead connections is lost.
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
