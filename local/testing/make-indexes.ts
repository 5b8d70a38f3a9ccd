import { type Collections, describedCollections } from '../../src/collections/collections.js';

/** Makes the indexes of an empty database. `ensureIndexes` also looks for what may be there, and takes six times as long. */
export async function makeIndexes(collections: Collections): Promise<void> {
  for (const { described, collection } of describedCollections(collections)) {
    if (described.indexes.length > 0) await collection.createIndexes([...described.indexes]);
  }
}
