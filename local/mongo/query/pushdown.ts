import type { Doc } from '../bson/decode.js';
import { toNumber } from '../bson/to-number.js';
import { isDoc } from '../bson/type-of.js';

/** A pipeline in two parts: a beginning that a query can do, with an index if one fits, and the rest. */
export interface Pushdown {
  readonly filter: Doc;
  readonly sort: Doc;
  readonly skip: number;
  readonly limit: number;
  readonly rest: readonly unknown[];
}

/** A query on another collection. */
export interface ForeignQuery extends Omit<Pushdown, 'rest'> {
  readonly variables: Doc;
}

/**
 * Splits `$match`, `$sort`, `$skip` and `$limit` off the beginning of a pipeline, in that order. The stages must be
 * valid.
 */
export function pushdown(pipeline: readonly unknown[]): Pushdown {
  let at = 0;
  const take = (name: string): unknown => {
    const stage = pipeline[at];
    if (!isDoc(stage) || Object.keys(stage).length !== 1 || stage[name] === undefined) return undefined;
    at += 1;
    return stage[name];
  };
  const filters: Doc[] = [];
  for (let filter = take('$match'); filter !== undefined; filter = take('$match'))
    filters.push(asDoc(filter));
  const sort = asDoc(take('$sort'));
  const skip = countOf(take('$skip'));
  const limit = countOf(take('$limit'));
  const [only = {}] = filters;
  return {
    filter: filters.length > 1 ? { $and: filters } : only,
    sort,
    skip,
    limit,
    rest: pipeline.slice(at),
  };
}

function countOf(value: unknown): number {
  return value === undefined ? 0 : Math.trunc(toNumber(value));
}

function asDoc(value: unknown): Doc {
  return isDoc(value) ? value : {};
}
