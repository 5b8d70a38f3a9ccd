import type { MongoClient } from 'mongodb';
import { withinTime } from '../src/mongo/within-time.js';

/** After so long without an invocation a container may have been frozen, and its connections dead without a word. */
const IDLE_MS = 10_000;

/** How long the database has to say that it is there: then it is not asked again by the same connections. */
const PATIENCE_MS = 2_000;

/**
 * Returns what connects a client at the begin of each invocation. After a while it asks first whether the connections
 * still live, at the cost of a ping: one that died in the freeze would be noticed by the driver after 20 s only, one after
 * the other, and the time of an invocation be over.
 *
 * It is for a process that does one thing at a time: what is under way by dead connections is lost.
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
