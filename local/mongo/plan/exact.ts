import { BSONRegExp, MaxKey, MinKey } from 'bson';
import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { isOperators } from '../query/parse-filter.js';
import type { OrderedIndex } from '../storage/ordered-index.js';
import { isContiguous } from './index-scan.js';
import type { Plan } from './plan.js';

/**
 * Returns whether the keys in one contiguous range of an index are exactly the matches. A count then reads no document.
 * The keys are not enough for null and missing, patterns, arrays, `$expr`, and fields outside the index, such as a field
 * of the partial filter.
 */
export function isCountedByKeys(plan: Plan, filter: Doc): boolean {
  if (plan.kind !== 'index' || plan.index.multikeyFields.size > 0) return false;
  const [bounds, ...others] = plan.scans;
  if (bounds === undefined || others.length > 0 || !isContiguous(bounds)) return false;
  return isToldByKeys(filter, plan.index);
}

function isToldByKeys(filter: Doc, index: OrderedIndex): boolean {
  return Object.entries(filter).every(([name, condition]) => {
    if (name === '$and' && Array.isArray(condition)) {
      return condition.every((branch) => isDoc(branch) && isToldByKeys(branch, index));
    }
    return index.definition.fields.some(({ path }) => path === name) && isExact(condition);
  });
}

/** Returns whether a condition admits exactly the values within its bounds. */
function isExact(condition: unknown): boolean {
  if (!isOperators(condition)) return isExactValue(condition);
  return Object.entries(condition).every(([operator, operand]) => {
    if (operator === '$in') return Array.isArray(operand) && operand.every(isExactValue);
    return ['$eq', '$gt', '$gte', '$lt', '$lte'].includes(operator) && isExactValue(operand);
  });
}

function isExactValue(value: unknown): boolean {
  if (value === null || value === undefined || Array.isArray(value)) return false;
  return !(value instanceof BSONRegExp || value instanceof MinKey || value instanceof MaxKey);
}
