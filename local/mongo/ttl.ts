import type { Clock } from './command/server-info.js';
import { scanIndex } from './plan/index-scan.js';
import { intersect, inverted, point, sameType } from './plan/intervals.js';
import type { Catalog } from './storage/catalog.js';
import type { Collection } from './storage/collection.js';
import { LockedRecord } from './storage/conflicts.js';
import { Journal } from './storage/journal.js';
import { recordOf } from './storage/key-string.js';
import type { OrderedIndex } from './storage/ordered-index.js';
import { decodeStored } from './storage/stored.js';
import type { View } from './storage/view.js';

/** Removes the documents that TTL indexes declare expired by the clock, and returns their number. */
export function removeExpired(catalog: Catalog, clock: Clock): number {
  let removed = 0;
  for (const database of catalog.databaseNames()) {
    const now = clock(database);
    for (const collection of catalog.collections(database).values()) {
      const view = catalog.view(database, collection.name, new Journal());
      for (const index of collection.indexes.values()) removed += expire(collection, view, index, now);
    }
  }
  return removed;
}

function expire(collection: Collection, view: View, index: OrderedIndex, now: number): number {
  const { expireAfterSeconds } = index.definition;
  if (expireAfterSeconds === undefined) return 0;
  const limit = new Date(now - expireAfterSeconds * 1000);
  const due = intersect([{ from: '', to: point(limit).to }], [sameType(limit)]);
  const bounds = [index.keys.directions[0] === -1 ? inverted(due) : due];
  const keys = [
    ...scanIndex(view.cursor(index, true), bounds, index.keys.directions, true, { keys: 0, docs: 0 }),
  ];
  return [...new Set(keys.filter((key) => key !== undefined).map(recordOf))].filter((id) =>
    removeUnlocked(collection, view, id),
  ).length;
}

/** Removes a document. One that a transaction is writing stays until the next time. */
function removeUnlocked(collection: Collection, view: View, id: number): boolean {
  const stored = collection.records.get(id);
  if (stored === undefined) return false;
  try {
    view.remove(id, decodeStored(stored));
    return true;
  } catch (error) {
    if (error instanceof LockedRecord) return false;
    throw error;
  }
}
