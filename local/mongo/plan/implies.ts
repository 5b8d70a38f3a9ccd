import { equal } from '../bson/compare.js';
import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { isOperators } from '../query/parse-filter.js';
import { truthy } from '../query/truth.js';
import { type Constraints, conditionIntervals } from './constraints.js';
import { type Interval, includesNull, isSubset } from './intervals.js';

/** Whether every document that a query may return matches a partial index's filter: only then is it used. */
export function implies(query: Doc, constraints: Constraints, partial: Doc): boolean {
  return Object.entries(partial).every(([name, value]) => impliesClause(query, constraints, name, value));
}

function impliesClause(query: Doc, constraints: Constraints, name: string, value: unknown): boolean {
  if (Object.hasOwn(query, name) && equal(query[name], value)) return true;
  if (name === '$and') return branches(value).every((branch) => implies(query, constraints, branch));
  if (name === '$or') return branches(value).some((branch) => implies(query, constraints, branch));
  if (name.startsWith('$')) return false;
  const required = constraints.get(name)?.match ?? [];
  if (!isOperators(value)) return conditionIntervals(value).every((wanted) => isWithin(required, wanted));
  return Object.entries(value).every(([operator, operand]) => {
    if (operator === '$exists')
      return truthy(operand) && required.some((intervals) => !includesNull(intervals));
    const wanted = conditionIntervals({ [operator]: operand });
    return wanted.length > 0 && wanted.every((intervals) => isWithin(required, intervals));
  });
}

function isWithin(required: readonly (readonly Interval[])[], wanted: readonly Interval[]): boolean {
  return required.some((intervals) => isSubset(intervals, wanted));
}

function branches(value: unknown): Doc[] {
  return Array.isArray(value) ? value.filter(isDoc) : [];
}
