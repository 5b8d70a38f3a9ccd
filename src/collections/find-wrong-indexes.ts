import { findIndexes } from '../mongo/find-indexes.js';
import { isInPlaceOf } from '../mongo/same-index.js';
import { type Collections, describedCollections } from './collections.js';

/** Missing and differing indexes, each as `collection.index`. */
export interface WrongIndexes {
  readonly missing: readonly string[];
  /** Indexes that have a needed name but other keys or options. */
  readonly different: readonly string[];
}

/** Compares the indexes of the collections with the needed ones. Ignores all other indexes. */
export async function findWrongIndexes(collections: Collections): Promise<WrongIndexes> {
  const indexed = describedCollections(collections).filter(({ described }) => described.indexes.length > 0);
  const compared = await Promise.all(
    indexed.map(async ({ described, collection }) => {
      const found = await findIndexes(collection);
      return described.indexes.map((index) => ({
        name: `${collection.collectionName}.${index.name}`,
        index,
        found: found.find(({ name }) => name === index.name),
      }));
    }),
  );
  const all = compared.flat();
  return {
    missing: all.flatMap(({ name, found }) => (found === undefined ? [name] : [])),
    different: all.flatMap(({ name, index, found }) =>
      found !== undefined && isInPlaceOf(found, index) ? [name] : [],
    ),
  };
}
