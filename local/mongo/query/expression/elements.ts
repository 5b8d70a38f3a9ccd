import { compare } from '../../bson/compare.js';
import { toNumber } from '../../bson/to-number.js';
import { isNumeric, typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { truthy } from '../truth.js';
import { argumentsOf, type Expression, isNullish, unary, variadic } from './operands.js';

/** Operators that take elements out of arrays. */
export const elements: Record<string, Expression> = {
  $arrayElemAt: variadic(([array, index]) => {
    if (isNullish(array) || isNullish(index)) return null;
    const at = integer(28690, '$arrayElemAt', index);
    return arrayOf(28689, '$arrayElemAt', array).at(at);
  }),
  $slice: variadic((values) => {
    if (values.some(isNullish)) return null;
    const array = arrayOf(28724, '$slice', values[0]);
    const [first = 0, count] = values.slice(1).map((value) => integer(28725, '$slice', value));
    if (count === undefined) return first < 0 ? array.slice(first) : array.slice(0, first);
    if (count <= 0) throw new CommandError(28729, 'Third argument to $slice must be positive');
    const start = first < 0 ? Math.max(0, array.length + first) : first;
    return array.slice(start, start + count);
  }),
  $anyElementTrue: unary((value) => arrayOf(17041, '$anyElementTrue', value).some(truthy)),
  $allElementsTrue: unary((value) => arrayOf(17040, '$allElementsTrue', value).every(truthy)),
};

/** Operators that share a name with an accumulator. Inside a group, the accumulator takes their place. */
export const elementsOfArray: Record<string, Expression> = {
  $first: unary((value) => (isNullish(value) ? null : arrayOf(28689, '$first', value)[0])),
  $last: unary((value) => (isNullish(value) ? null : arrayOf(28689, '$last', value).at(-1))),
  $firstN: several('$firstN', (array, n) => array.slice(0, n)),
  $lastN: several('$lastN', (array, n) => array.slice(-n)),
  $minN: several('$minN', (array, n) => present(array).sort(compare).slice(0, n)),
  $maxN: several('$maxN', (array, n) =>
    present(array)
      .sort((a, b) => compare(b, a))
      .slice(0, n),
  ),
};

/** Returns the elements that `$minN` and `$maxN` consider. */
export function present(values: readonly unknown[]): unknown[] {
  return values.filter((value) => !isNullish(value));
}

/** Returns the number of values wanted. Throws unless it is a positive integer. */
export function countOf(value: unknown): number {
  const number = isNumeric(value) ? toNumber(value) : Number.NaN;
  if (Number.isInteger(number) && number > 0) return number;
  throw new CommandError(5787908, `'n' must be greater than 0 and an integer, found ${typeOf(value)}`);
}

function several(name: string, take: (array: readonly unknown[], n: number) => unknown[]): Expression {
  return (context, operand, options) => {
    const { n, input } = argumentsOf(name, context, operand, options, ['n', 'input'], []);
    return take(arrayOf(5788200, name, input), countOf(n));
  };
}

function arrayOf(code: number, name: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new CommandError(code, `${name}'s argument must be an array, but is ${typeOf(value)}`);
}

function integer(code: number, name: string, value: unknown): number {
  const number = isNumeric(value) ? toNumber(value) : Number.NaN;
  if (Number.isInteger(number)) return number;
  throw new CommandError(code, `${name}'s argument must be an integer, but is ${typeOf(value)}`);
}
