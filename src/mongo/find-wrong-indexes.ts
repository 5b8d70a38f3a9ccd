import { isDeepStrictEqual } from 'node:util';
import type { IndexDescription } from 'mongodb';
import type { Collections } from './collections.js';
import { findIndexes } from './find-indexes.js';
import { neededIndexes } from './indexes.js';

/** Indexes as `collection.index`. */
export interface WrongIndexes {
  readonly missing: readonly string[];
  /** Those that have the name, but not the keys or the options, of one that this version needs. */
  readonly different: readonly string[];
}

/** Compares the indexes of the collections with those that are needed. Others, of whoever, are left alone. */
export async function findWrongIndexes(collections: Collections): Promise<WrongIndexes> {
  const compared = await Promise.all(
    neededIndexes.map(async ([key, needed]) => {
      const { collectionName } = collections[key];
      const found = await findIndexes(collections[key]);
      return needed.map((index) => ({
        name: `${collectionName}.${index.name}`,
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

/** Whether an index has the name or the keys of one that is needed, and is not that one. */
export function isInPlaceOf(found: IndexDescription, needed: IndexDescription): boolean {
  const hasItsKeys = isDeepStrictEqual(essence(found).key, essence(needed).key);
  return found.name === needed.name ? !isSameIndex(found, needed) : hasItsKeys;
}

/** Whether an index does what another one does, whatever they are called. */
export function isSameIndex(one: IndexDescription, other: IndexDescription): boolean {
  return isDeepStrictEqual(essence(one), essence(other));
}

/** What makes an index what it is; the order of its keys counts. */
function essence({ key, unique, sparse, expireAfterSeconds, partialFilterExpression }: IndexDescription) {
  return {
    key: Object.entries(key),
    unique: unique ?? false,
    sparse: sparse ?? false,
    expireAfterSeconds,
    partialFilterExpression,
  };
}
