import { evalExpr } from 'mingo/core';
import { compare, equal } from '../../bson/compare.js';
import { type Doc, setField } from '../../bson/decode.js';
import { isDoc, typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { KeyMaker } from '../../storage/index-keys.js';
import { compareBytes } from '../../storage/key-string.js';
import { directionOf, sortPattern } from '../sort-pattern.js';
import { type Expression, isNullish, operandsOf, unary, variadic } from './operands.js';

/** Operators on arrays and documents with BSON's equality and order. A field may have any name. */
export const collections: Record<string, Expression> = {
  $size: unary((value) => {
    if (Array.isArray(value)) return value.length;
    throw new CommandError(
      17124,
      `The argument to $size must be an array, but was of type: ${typeOf(value)}`,
    );
  }),
  $isArray: unary(Array.isArray),
  $reverseArray: unary((value) => (isNullish(value) ? null : [...arrayOf('$reverseArray', value)].reverse())),
  $in: variadic(([value, array]) => {
    if (!Array.isArray(array))
      throw new CommandError(40081, `$in requires an array as a second argument, found: ${typeOf(array)}`);
    return includes(array, value);
  }),
  $indexOfArray: variadic(([array, value, start = 0, end]) => {
    if (isNullish(array)) return null;
    const elements = arrayOf('$indexOfArray', array);
    const last = isNullish(end) ? elements.length : Math.min(Number(end), elements.length);
    for (let at = Math.max(0, Number(start)); at < last; at += 1) if (isSame(elements[at], value)) return at;
    return -1;
  }),
  $setUnion: variadic((sets) =>
    sets.some(isNullish) ? null : distinct(sets.flatMap((set) => arrayOf('$setUnion', set))),
  ),
  $setIntersection: variadic((sets) => {
    if (sets.some(isNullish)) return null;
    const [first = [], ...others] = sets.map((set) => arrayOf('$setIntersection', set));
    return distinct(first.filter((value) => others.every((set) => includes(set, value))));
  }),
  $setDifference: variadic(([a, b]) => {
    if (isNullish(a) || isNullish(b)) return null;
    const [left, right] = [arrayOf('$setDifference', a), arrayOf('$setDifference', b)];
    return distinct(left.filter((value) => !includes(right, value)));
  }),
  $setEquals: variadic((sets) => {
    const [first = [], ...others] = sets.map((set) => arrayOf('$setEquals', set));
    return others.every((set) => isWithin(first, set) && isWithin(set, first));
  }),
  $setIsSubset: variadic(([a, b]) => isWithin(arrayOf('$setIsSubset', a), arrayOf('$setIsSubset', b))),
  $sortArray: (context, operand, options) => {
    const { input, sortBy } = isDoc(operand) ? operand : {};
    const array = evalExpr(context, input, options);
    return isNullish(array) ? null : [...arrayOf('$sortArray', array)].sort(orderOf(sortBy));
  },
  $mergeObjects: (context, operand, options) => {
    const docs = operandsOf(context, operand, options);
    return fromEntries((Array.isArray(context) ? docs.flat() : docs).flatMap(entriesOf));
  },
  $objectToArray: unary((doc) => (isNullish(doc) ? null : entriesOf(doc).map(([k, v]) => ({ k, v })))),
  $arrayToObject: unary((pairs) =>
    isNullish(pairs) ? null : fromEntries(arrayOf('$arrayToObject', pairs).map(pairOf)),
  ),
};

/** Returns the same as `equal`, but faster for strings. */
function isSame(a: unknown, b: unknown): boolean {
  return typeof a === 'string' && typeof b === 'string' ? a === b : equal(a, b);
}

function arrayOf(name: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new CommandError(
    17043,
    `All operands of ${name} must be arrays. One argument is of type: ${typeOf(value)}`,
  );
}

function includes(array: readonly unknown[], value: unknown): boolean {
  return array.some((element) => equal(element, value));
}

function isWithin(inner: readonly unknown[], outer: readonly unknown[]): boolean {
  return inner.every((value) => includes(outer, value));
}

/** Returns the distinct values in BSON order. The order of the input does not matter. */
function distinct(values: readonly unknown[]): unknown[] {
  const sorted = [...values].sort(compare);
  return sorted.filter((value, i) => i === 0 || !equal(value, sorted[i - 1]));
}

function orderOf(sortBy: unknown): (a: unknown, b: unknown) => number {
  if (!isDoc(sortBy)) {
    const direction = directionOf(sortBy);
    return (a, b) => direction * compare(a, b);
  }
  const keys = new KeyMaker(sortPattern(sortBy));
  return (a, b) => compareBytes(keys.sortKeyOf(a), keys.sortKeyOf(b));
}

function entriesOf(doc: unknown): [string, unknown][] {
  if (isNullish(doc)) return [];
  if (isDoc(doc)) return Object.entries(doc);
  throw new CommandError(40400, `$mergeObjects requires object inputs, but input is of type ${typeOf(doc)}`);
}

function pairOf(pair: unknown): [string, unknown] {
  const [k, v] = isDoc(pair) ? [pair.k, pair.v] : Array.isArray(pair) ? pair : [];
  if (typeof k === 'string') return [k, v];
  throw new CommandError(40394, '$arrayToObject requires an object with string keys');
}

function fromEntries(entries: readonly [string, unknown][]): Doc {
  const doc: Doc = {};
  for (const [name, value] of entries) setField(doc, name, value);
  return doc;
}
