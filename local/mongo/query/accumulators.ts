import { Decimal128 } from 'bson';
import { evalExpr } from 'mingo/core';
import type { Options } from 'mingo/types';
import { compare, equal } from '../bson/compare.js';
import { decimalFrom, divideDecimals } from '../bson/decimal.js';
import type { Doc } from '../bson/decode.js';
import { add, asDouble } from '../bson/numbers.js';
import { toNumber } from '../bson/to-number.js';
import { isDoc, isNumeric } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { KeyMaker } from '../storage/index-keys.js';
import { countOf, present } from './expression/elements.js';
import { isEvaluationState } from './mingo-options.js';
import { sortDocs } from './sort-docs.js';
import { sortPattern } from './sort-pattern.js';

type Accumulator = (members: unknown[], expression: unknown, options: Options) => unknown;

/** Accumulators that replace mingo's where BSON's number types and order matter. */
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
  $first: (members, expression, options) => valuesOf(members.slice(0, 1), expression, options)[0] ?? null,
  $last: (members, expression, options) => valuesOf(members.slice(-1), expression, options)[0] ?? null,
  $firstN: several((values, n) => values.slice(0, n).map(orNull)),
  $lastN: several((values, n) => values.slice(-n).map(orNull)),
  $minN: several((values, n) => present(values).sort(compare).slice(0, n)),
  $maxN: several((values, n) =>
    present(values)
      .sort((a, b) => compare(b, a))
      .slice(0, n),
  ),
  $top: (members, expression, options) => ranked(members, expression, options)[0],
  $bottom: (members, expression, options) => ranked(members, expression, options).at(-1),
  $topN: (members, expression, options) =>
    ranked(members, expression, options).slice(0, numberWanted(members, expression, options)),
  $bottomN: (members, expression, options) =>
    ranked(members, expression, options).slice(-numberWanted(members, expression, options)),
  $stdDevPop: (members, expression, options) => deviation(valuesOf(members, expression, options), 0),
  $stdDevSamp: (members, expression, options) => deviation(valuesOf(members, expression, options), 1),
};

function orNull(value: unknown): unknown {
  return value ?? null;
}

/** Returns the fields of an accumulator such as `{ n, input }`. */
function fieldsOf(expression: unknown): Doc {
  if (isDoc(expression)) return expression;
  throw new CommandError(5787801, 'specification must be an object');
}

function several(take: (values: unknown[], n: number) => unknown[]): Accumulator {
  return (members, expression, options) => {
    const values = valuesOf(members, fieldsOf(expression).input, options);
    return take(values, numberWanted(members, expression, options));
  };
}

function numberWanted(members: unknown[], expression: unknown, options: Options): number {
  return countOf(valuesOf(members.slice(0, 1), fieldsOf(expression).n, options)[0]);
}

/** Returns the outputs of all members in the order of `sortBy`. */
function ranked(members: unknown[], expression: unknown, options: Options): unknown[] {
  const { sortBy, output } = fieldsOf(expression);
  if (!isDoc(sortBy)) throw new CommandError(5788604, "'sortBy' must be an object");
  return valuesOf(sortDocs(members.filter(isDoc), new KeyMaker(sortPattern(sortBy))), output, options).map(
    orNull,
  );
}

function deviation(values: unknown[], sampled: 0 | 1): unknown {
  const numbers = values.filter(isNumeric).map(toNumber);
  if (numbers.length <= sampled) return null;
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const squares = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return asDouble(Math.sqrt(squares / (numbers.length - sampled)));
}

/**
 * Returns the expression's value for each member. Outside a group there is no expression, and the members themselves are
 * the values.
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
