import type { Doc } from '../bson/decode.js';
import type { KeyMaker } from '../storage/index-keys.js';

/** Sorts documents stably, and makes each sort key once. */
export function sortDocs(docs: readonly Doc[], keys: KeyMaker): Doc[] {
  const keyed = docs.map((doc) => ({ doc, key: keys.sortKeyOf(doc) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ doc }) => doc);
}
