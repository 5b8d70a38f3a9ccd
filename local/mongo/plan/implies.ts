import { equal } from '../bson/compare.js';
import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { isOperators } from '../query/parse-filter.js';
import { truthy } from '../query/truth.js';
import { type Constraints, conditionIntervals, constraintsOf } from './constraints.js';
import { disjunctionsOf } from './disjunctions.js';
import { type Interval, includesNull, isSinglePoint, isSubset } from './intervals.js';
import type { QuerySpec } from './query-spec.js';

export type Query = Pick<QuerySpec, 'filter' | 'environment'>;

/**
 * Returns whether a partial index has every document that a query may return, as far as MongoDB can tell. If not, the
 * index is not used.
 */
export function implies(query: Query, constraints: Constraints, partial: Doc): boolean {
  return Object.entries(partial).every(([name, value]) => impliesClause(query, constraints, name, value));
}

/**
 * Returns whether the query's requirements imply a clause. If one of the query's `$or` has only branches that imply it,
 * the query implies it, too.
 */
function impliesClause(query: Query, constraints: Constraints, name: string, value: unknown): boolean {
  if (Object.hasOwn(query.filter, name) && equal(query.filter[name], value)) return true;
  if (name === '$and') return branches(value).every((branch) => implies(query, constraints, branch));
  if (name === '$or' && branches(value).some((branch) => implies(query, constraints, branch))) return true;
  if (!name.startsWith('$') && isMet(constraints.get(name)?.match ?? [], value)) return true;
  return disjunctionsOf(query.filter).some((disjunction) =>
    disjunction.every((branch) => {
      const { environment } = query;
      return impliesClause({ filter: branch, environment }, constraintsOf(branch, environment), name, value);
    }),
  );
}

function isMet(required: readonly (readonly Interval[])[], condition: unknown): boolean {
  if (!isOperators(condition))
    return conditionIntervals(condition).every((wanted) => isWithin(required, wanted));
  return Object.entries(condition).every(([operator, operand]) => {
    if (operator === '$exists')
      return truthy(operand) && required.some((intervals) => !includesNull(intervals));
    const wanted = conditionIntervals({ [operator]: operand });
    if (wanted.length === 0) return false;
    const considered = operator === '$in' ? required.filter(isSinglePoint) : required;
    return wanted.every((intervals) => isWithin(considered, intervals) || isSame(required, intervals));
  });
}

function isWithin(required: readonly (readonly Interval[])[], wanted: readonly Interval[]): boolean {
  return required.some((intervals) => isSubset(intervals, wanted));
}

/**
 * Returns whether one requirement has exactly the values of an `$in`. A requirement with a part of several values does not
 * count, because MongoDB does not recognize it.
 */
function isSame(required: readonly (readonly Interval[])[], wanted: readonly Interval[]): boolean {
  return required.some((intervals) => isSubset(intervals, wanted) && isSubset(wanted, intervals));
}

function branches(value: unknown): Doc[] {
  return Array.isArray(value) ? value.filter(isDoc) : [];
}
