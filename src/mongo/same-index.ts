import { isDeepStrictEqual } from 'node:util';
import type { IndexDescription } from 'mongodb';

/** Returns whether an index has the name or the keys of a needed one, but otherwise differs from it. */
export function isInPlaceOf(found: IndexDescription, needed: IndexDescription): boolean {
  const hasItsKeys = isDeepStrictEqual(essence(found).key, essence(needed).key);
  return found.name === needed.name ? !isSameIndex(found, needed) : hasItsKeys;
}

/** Returns whether two indexes are the same except for their names. */
export function isSameIndex(one: IndexDescription, other: IndexDescription): boolean {
  return isDeepStrictEqual(essence(one), essence(other));
}

/** Returns the properties that define an index. The order of its keys counts. */
function essence({ key, unique, sparse, expireAfterSeconds, partialFilterExpression }: IndexDescription) {
  return {
    key: Object.entries(key),
    unique: unique ?? false,
    sparse: sparse ?? false,
    expireAfterSeconds,
    partialFilterExpression,
  };
}
