import { isDeepStrictEqual } from 'node:util';
import type { IndexDescription } from 'mongodb';

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
