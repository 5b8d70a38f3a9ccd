import { BSONRegExp, MaxKey, MinKey } from 'bson';
import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { type Environment, evaluate } from '../query/evaluation.js';
import { isOperators } from '../query/parse-filter.js';
import { truthy } from '../query/truth.js';
import { ALL, type Interval, intersect, point, sameType, union } from './intervals.js';
import { exactPattern, patternIntervals } from './pattern-bounds.js';

/** A filter's requirements for one field. They stay separate, because different elements of an array may meet them. */
export interface Constraint {
  /** Requirements of the query language, whose comparisons look into arrays. */
  readonly match: (readonly Interval[])[];
  /** Requirements of `$expr`, which compares an array as a whole and orders across types. */
  readonly expr: (readonly Interval[])[];
}

/** The constraints of a filter by field. They may admit too many documents, so the filter is applied to each one found. */
export type Constraints = ReadonlyMap<string, Constraint>;

/** Returns the requirements of a filter for single fields. */
export function constraintsOf(filter: Doc, environment: Environment): Constraints {
  const found = new Map<string, Constraint>();
  collect(filter, found, environment);
  return found;
}

/** Combines all requirements for a field. */
export function combined({ match, expr }: Constraint): readonly Interval[] {
  return [...match, ...expr].reduce(intersect, ALL);
}

function collect(filter: Doc, found: Map<string, Constraint>, environment: Environment): void {
  for (const [name, value] of Object.entries(filter)) {
    if (name === '$and' && Array.isArray(value)) {
      for (const branch of value) if (isDoc(branch)) collect(branch, found, environment);
    } else if (name === '$expr') collectExpr(value, found, environment);
    else if (!name.startsWith('$')) {
      const required = predicates(value);
      if (required.length > 0) constraintAt(found, name).match.push(...required);
    }
  }
}

function constraintAt(found: Map<string, Constraint>, path: string): Constraint {
  const constraint = found.get(path) ?? { match: [], expr: [] };
  found.set(path, constraint);
  return constraint;
}

/** Returns the intervals of a condition. If an operator can use an index but gives no bounds, it admits every value. */
function predicates(condition: unknown): (readonly Interval[])[] {
  if (!isOperators(condition)) {
    const bounds = conditionIntervals(condition);
    return bounds.length > 0 ? bounds : [ALL];
  }
  return Object.entries(condition).flatMap(([operator, operand]) => {
    const bounds = operatorIntervals(operator, operand, condition);
    return bounds.length === 0 && isIndexable(operator, operand) ? [ALL] : bounds;
  });
}

/** Operators for which MongoDB uses no index. A field with only these has no constraint. */
const NOT_INDEXABLE = new Set([
  '$size',
  '$options',
  '$bitsAllSet',
  '$bitsAllClear',
  '$bitsAnySet',
  '$bitsAnyClear',
]);

function isIndexable(operator: string, operand: unknown): boolean {
  if (operator === '$ne') return !Array.isArray(operand);
  if (operator === '$nin') return Array.isArray(operand) && !operand.some(isNoneOfAnIndex);
  if (operator === '$not') return isOperators(operand) && Object.keys(operand).every(isComparison);
  if (operator === '$elemMatch') return isOperators(operand);
  return !NOT_INDEXABLE.has(operator);
}

function isNoneOfAnIndex(member: unknown): boolean {
  return Array.isArray(member) || member instanceof BSONRegExp;
}

function isComparison(operator: string): boolean {
  return ['$eq', '$gt', '$gte', '$lt', '$lte', '$in', '$exists'].includes(operator);
}

/** Returns the intervals of a field's condition, one list per operator that gives bounds. */
export function conditionIntervals(condition: unknown): (readonly Interval[])[] {
  if (condition instanceof BSONRegExp) return [patternIntervals(condition)];
  if (!isOperators(condition)) return equality(condition);
  return Object.entries(condition).flatMap(([operator, operand]) =>
    operatorIntervals(operator, operand, condition),
  );
}

function operatorIntervals(operator: string, operand: unknown, condition: Doc): (readonly Interval[])[] {
  switch (operator) {
    case '$eq':
      return equality(operand);
    case '$in':
      return Array.isArray(operand) ? memberIntervals(operand) : [];
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return rangeIntervals(operator, operand);
    case '$all':
      return Array.isArray(operand)
        ? operand.flatMap((element) => (isOperators(element) ? [] : conditionIntervals(element)))
        : [];
    case '$exists':
      return truthy(operand) ? [] : equality(null);
    case '$regex':
      return [patternIntervals(exactPattern(operand, condition.$options))];
    default:
      return [];
  }
}

/**
 * Returns the bounds of an equality. An equality with an array has none, because an index does not hold whole arrays.
 */
function equality(value: unknown): (readonly Interval[])[] {
  return Array.isArray(value) || value === undefined ? [] : [[point(value)]];
}

function memberIntervals(members: readonly unknown[]): (readonly Interval[])[] {
  if (members.some((member) => Array.isArray(member))) return [];
  return [
    union(
      members.flatMap((member) =>
        member instanceof BSONRegExp ? patternIntervals(member) : [point(member)],
      ),
    ),
  ];
}

/** Returns the bounds of a range. A range stays within the operand's type, except for MinKey and MaxKey. */
function rangeIntervals(operator: string, operand: unknown): (readonly Interval[])[] {
  if (Array.isArray(operand)) return [];
  const range = openRange(operator, operand, operand === null);
  const crossesTypes = operand instanceof MinKey || operand instanceof MaxKey;
  return [crossesTypes ? [range] : intersect([range], [sameType(operand)])];
}

function openRange(operator: string, operand: unknown, inclusive: boolean): Interval {
  const { from, to } = point(operand);
  if (operator === '$gt') return { from: inclusive ? from : to, to: '\uffff' };
  if (operator === '$gte') return { from, to: '\uffff' };
  return { from: '', to: operator === '$lte' || inclusive ? to : from };
}

const MIRRORED: Readonly<Record<string, string>> = {
  $gt: '$lt',
  $gte: '$lte',
  $lt: '$gt',
  $lte: '$gte',
  $eq: '$eq',
};

/** Collects from an `$expr` the comparisons of a field with a constant, alone or joined by `$and`. */
function collectExpr(expression: unknown, found: Map<string, Constraint>, environment: Environment): void {
  if (!isDoc(expression)) return;
  const [entry, ...others] = Object.entries(expression);
  if (entry === undefined || others.length > 0 || !Array.isArray(entry[1])) return;
  const [operator, operands]: [string, unknown[]] = [entry[0], entry[1]];
  if (operator === '$and') {
    for (const operand of operands) collectExpr(operand, found, environment);
  } else if (operator in MIRRORED && operands.length === 2) {
    collectComparison(operator, operands[0], operands[1], found, environment);
    collectComparison(MIRRORED[operator] ?? operator, operands[1], operands[0], found, environment);
  }
}

function collectComparison(
  operator: string,
  field: unknown,
  operand: unknown,
  found: Map<string, Constraint>,
  environment: Environment,
): void {
  if (typeof field !== 'string' || !/^\$[^$]/.test(field) || !isConstant(operand)) return;
  const value = evaluate(operand, {}, environment) ?? null;
  if (Array.isArray(value)) return;
  const range = operator === '$eq' ? point(value) : openRange(operator, value, value === null);
  constraintAt(found, field.slice(1)).expr.push([range]);
}

/** Returns whether an expression does not depend on the document. */
function isConstant(expression: unknown): boolean {
  if (typeof expression === 'string') return !expression.startsWith('$') || isConstantVariable(expression);
  if (Array.isArray(expression)) return expression.every(isConstant);
  if (!isDoc(expression)) return true;
  if (Object.hasOwn(expression, '$literal')) return true;
  return !Object.hasOwn(expression, '$rand') && Object.values(expression).every(isConstant);
}

function isConstantVariable(name: string): boolean {
  return name.startsWith('$$') && !/^\$\$(ROOT|CURRENT|REMOVE|this|value)\b/.test(name);
}
