import { equal } from '../bson/compare.js';
import type { Doc } from '../bson/decode.js';
import type { OrderedIndex } from '../storage/ordered-index.js';

/** Returns the index with this name or key document. */
export function indexMatching(
  indexes: ReadonlyMap<string, OrderedIndex>,
  wanted: string | Doc,
): OrderedIndex | undefined {
  if (typeof wanted === 'string') return indexes.get(wanted);
  return [...indexes.values()].find(({ definition }) => equal(definition.spec.key, wanted));
}
