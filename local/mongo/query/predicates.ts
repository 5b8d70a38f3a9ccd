import { BSONRegExp } from 'bson';
import type { Options } from 'mingo/types';
import { compare, equal, rankOf, regexKey } from '../bson/compare.js';
import { toBigInt } from '../bson/numbers.js';
import { anyValueAt, type Visit } from '../bson/path.js';
import { toNumber } from '../bson/to-number.js';
import { isNumeric, typeOf } from '../bson/type-of.js';
import { bitPredicates } from './bit-predicates.js';
import { typesOf } from './check-operand.js';
import { unwrap } from './operand.js';
import { toRegExp } from './regex.js';
import { truthy } from './truth.js';

/** Returns whether a document, or an element of an array, passes. */
export type Test = (doc: unknown) => boolean;

/** A query operator, compiled once for a field and an operand, and run for each document. */
export type Operator = (path: string, operand: unknown, options: Options) => Test;

/**
 * The query operators that test the values of a field. They follow BSON's types and their order, tell missing from null,
 * and look into arrays on the way and at the end of a path.
 */
export const predicates: Record<string, Operator> = {
  $eq: positive(equals),
  $ne: negative(equals),
  $in: positive(isIn),
  $nin: negative(isIn),
  $gt: positive((operand) => comparison(operand, (order) => order > 0)),
  $gte: positive((operand) => comparison(operand, (order) => order >= 0, true)),
  $lt: positive((operand) => comparison(operand, (order) => order < 0)),
  $lte: positive((operand) => comparison(operand, (order) => order <= 0, true)),
  $pattern: positive(matchesPattern),
  $type: positive((operand) => {
    const types = typesOf(operand);
    return (value) => value !== undefined && types.has(typeOf(value));
  }),
  $mod: positive(divisible),
  $exists: (path, operand) => {
    const exists = positive(() => (value) => value !== undefined)(path, operand, {} as Options);
    return truthy(unwrap(operand)) ? exists : (doc) => !exists(doc);
  },
  $size: whole((operand) => (value) => Array.isArray(value) && value.length === toNumber(operand)),
  ...bitPredicates(positive),
};

function positive(makeVisit: (operand: unknown) => Visit): Operator {
  return (path, operand) => {
    const parts = path.split('.');
    const visit = makeVisit(unwrap(operand));
    return (doc) => anyValueAt(doc, parts, 'each', visit);
  };
}

function negative(makeVisit: (operand: unknown) => Visit): Operator {
  const operator = positive(makeVisit);
  return (path, operand, options) => {
    const test = operator(path, operand, options);
    return (doc) => !test(doc);
  };
}

/** Returns an operator that tests an array as a whole, not its elements. */
export function whole(makeVisit: (operand: unknown) => Visit): Operator {
  return (path, operand) => {
    const parts = path.split('.');
    const visit = makeVisit(unwrap(operand));
    return (doc) => anyValueAt(doc, parts, 'whole', visit);
  };
}

function equals(operand: unknown): Visit {
  if (operand === null) return (value) => value === undefined || value === null;
  if (typeof operand === 'string')
    return (value) => value === operand || (typeof value === 'object' && equal(value, operand));
  return (value) => value !== undefined && equal(value, operand);
}

function isIn(operand: unknown): Visit {
  const list = asArray(operand);
  const strings = new Set(list.filter((value) => typeof value === 'string'));
  const others = list
    .filter((value) => typeof value !== 'string')
    .map((value) => (value instanceof BSONRegExp ? matchesPattern(value) : equals(value)));
  return (value) => (typeof value === 'string' && strings.has(value)) || others.some((test) => test(value));
}

/** Compares within one type. MinKey and MaxKey compare with every type. */
function comparison(operand: unknown, holds: (order: number) => boolean, inclusive = false): Visit {
  const type = typeOf(operand);
  if (type === 'minKey' || type === 'maxKey')
    return (value) => value !== undefined && holds(compare(value, operand));
  if (operand === null) return (value) => inclusive && (value === undefined || value === null);
  if (isNaNValue(operand)) return (value) => inclusive && isNaNValue(value);
  const rank = rankOf(operand);
  return (value) => rankOf(value) === rank && !isNaNValue(value) && holds(compare(value, operand));
}

function isNaNValue(value: unknown): boolean {
  return isNumeric(value) && Number.isNaN(toNumber(value));
}

function matchesPattern(operand: unknown): Visit {
  const regex = toRegExp(operand);
  const key = regexKey(operand);
  return (value) =>
    typeof value === 'string' ? regex.test(value) : value instanceof BSONRegExp && regexKey(value) === key;
}

function divisible(operand: unknown): Visit {
  const [divisor, remainder] = asArray(operand).map((value) => BigInt(Math.trunc(toNumber(value))));
  return (value) => {
    if (!isNumeric(value) || !Number.isFinite(toNumber(value)) || divisor === undefined) return false;
    return toBigInt(value) % divisor === remainder;
  };
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
