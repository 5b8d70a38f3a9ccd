import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';

/** The branches of each `$or` of a filter, those within `$and` among them. */
export function disjunctionsOf(filter: Doc): Doc[][] {
  return Object.entries(filter).flatMap(([name, value]) => {
    if (!Array.isArray(value)) return [];
    const docs = value.filter(isDoc);
    if (name === '$and') return docs.flatMap(disjunctionsOf);
    return name === '$or' ? [docs] : [];
  });
}
