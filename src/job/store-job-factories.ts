import type { Collection } from 'mongodb';
import type { JobFactoryDocument } from './factory-document.js';

/** Stores factories for producers without their code. Reads once, and writes only those whose hash is new. */
export async function storeJobFactories(
  jobFactories: Collection<JobFactoryDocument>,
  documents: readonly JobFactoryDocument[],
): Promise<void> {
  const ids = documents.map(({ _id }) => _id);
  const stored = await jobFactories.find({ _id: { $in: ids } }, { projection: { hash: 1 } }).toArray();
  const known = new Set(stored.map(({ _id, hash }) => `${_id} ${hash}`));
  const changed = documents.filter(({ _id, hash }) => !known.has(`${_id} ${hash}`));
  if (changed.length === 0) return;
  await jobFactories.bulkWrite(
    changed.map(({ _id, ...replacement }) => ({
      replaceOne: { filter: { _id }, replacement, upsert: true },
    })),
    { ordered: false },
  );
}

/** The stored factories of these names, or all. */
export function findJobFactories(
  jobFactories: Collection<JobFactoryDocument>,
  names?: readonly string[],
): Promise<JobFactoryDocument[]> {
  return jobFactories.find(names ? { _id: { $in: [...names] } } : {}, { sort: { _id: 1 } }).toArray();
}
