import { Decimal128 } from 'bson';
import { evalExpr } from 'mingo/core';
import type { Options } from 'mingo/types';
import { compare, equal } from '../bson/compare.js';
import { decimalFrom, divideDecimals } from '../bson/decimal.js';
import { add, asDouble, toNumber } from '../bson/numbers.js';
import { isNumeric } from '../bson/type-of.js';
import { isEvaluationState } from './mingo-options.js';

type Accumulator = (members: unknown[], expression: unknown, options: Options) => unknown;

/** mingo's accumulators, replaced where BSON's number types and order matter. */
export const accumulatorOverrides: Record<string, Accumulator> = {
  $sum: (members, expression, options) =>
    valuesOf(members, expression, options).filter(isNumeric).reduce(add, 0),
  $avg: (members, expression, options) => average(valuesOf(members, expression, options).filter(isNumeric)),
  $min: (members, expression, options) => extreme(valuesOf(members, expression, options), -1),
  $max: (members, expression, options) => extreme(valuesOf(members, expression, options), 1),
  $addToSet: (members, expression, options) => {
    const set: unknown[] = [];
    for (const value of valuesOf(members, expression, options)) {
      if (value !== undefined && !set.some((element) => equal(element, value))) set.push(value);
    }
    return set;
  },
  $push: (members, expression, options) =>
    valuesOf(members, expression, options).filter((value) => value !== undefined),
};

/**
 * The expression's value for each member. As an expression outside a group, an accumulator gets its operand's
 * values instead, and no expression.
 */
function valuesOf(members: unknown[], expression: unknown, options: Options): unknown[] {
  if (expression === null || expression === undefined) return members;
  if (!isEvaluationState(options)) return members.map((member) => evalExpr(member, expression, options));
  return members.map((member) => evalExpr(member, expression, options.update({ root: member })));
}

function average(numbers: unknown[]): unknown {
  if (numbers.length === 0) return null;
  const total = numbers.reduce(add, 0);
  if (total instanceof Decimal128) return divideDecimals(total, decimalFrom(numbers.length));
  return asDouble(toNumber(total) / numbers.length);
}

function extreme(values: unknown[], direction: 1 | -1): unknown {
  const present = values.filter((value) => value !== undefined && value !== null);
  if (present.length === 0) return null;
  return present.reduce((best, value) => (compare(value, best) * direction > 0 ? value : best));
}
