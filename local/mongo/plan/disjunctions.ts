import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';

/** Returns the branches of each `$or` of a filter, including those within `$and`. */
export function disjunctionsOf(filter: Doc): Doc[][] {
  return Object.entries(filter).flatMap(([name, value]) => {
    if (!Array.isArray(value)) return [];
    const docs = value.filter(isDoc);
    if (name === '$and') return docs.flatMap(disjunctionsOf);
    return name === '$or' ? [docs] : [];
  });
}
