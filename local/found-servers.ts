import type { MongoClient } from 'mongodb';

interface Count {
  found: number;
}

const counts = new WeakMap<MongoClient, Count>();

/**
 * Returns how often a client has found a server to write to since the first call. If the number has grown, the database
 * was gone in the meantime, and may be a different one now. Adds one listener per client, however many loops call it.
 */
export function foundServers(client: MongoClient): number {
  const known = counts.get(client);
  if (known) return known.found;
  const count: Count = { found: 0 };
  counts.set(client, count);
  client.on('serverDescriptionChanged', ({ previousDescription, newDescription }) => {
    if (!isWritable(previousDescription.type) && isWritable(newDescription.type)) count.found += 1;
  });
  return count.found;
}

function isWritable(type: string): boolean {
  return ['RSPrimary', 'Standalone', 'Mongos', 'LoadBalancer'].includes(type);
}
