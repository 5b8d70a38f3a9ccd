import { BSONRegExp } from 'bson';
import { isOperators } from '../query/parse-filter.js';
import type { QuerySpec } from './query-spec.js';

/** Returns whether a query asks for one `_id` and nothing else. MongoDB answers such a query without a plan. */
export function isIdLookup({ filter, hint, skip, ends }: QuerySpec): boolean {
  const id = filter._id;
  if (id === undefined || hint !== undefined || skip > 0 || ends !== undefined) return false;
  if (Object.keys(filter).length > 1) return false;
  return !isOperators(id) && !(id instanceof BSONRegExp) && !Array.isArray(id);
}
