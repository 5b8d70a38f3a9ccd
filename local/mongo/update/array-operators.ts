import { compare, equal } from '../bson/compare.js';
import type { Doc } from '../bson/decode.js';
import { shellText } from '../bson/shell-text.js';
import { toNumber } from '../bson/to-number.js';
import { isDoc, isNumeric, typeOf } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { directionOf } from '../query/sort-pattern.js';
import { KeyMaker } from '../storage/index-keys.js';
import { KEEP } from './modify.js';
import type { Operator } from './operator.js';

const PUSH_MODIFIERS = new Set(['$each', '$position', '$slice', '$sort']);

/** The operators that change arrays. */
export const arrayOperators: Record<string, Operator> = {
  $push: (operand, at) => {
    const modifiers = pushModifiers(operand);
    return (current) => push(arrayOf(current, at.path, at.doc) ?? [], modifiers);
  },
  $addToSet: (operand, at) => {
    const added = isDoc(operand) && '$each' in operand ? eachOf('$addToSet', operand) : [operand];
    return (current) => {
      const array = [...(arrayOf(current, at.path, at.doc) ?? [])];
      for (const value of added) if (!array.some((element) => equal(element, value))) array.push(value);
      return array;
    };
  },
  $pop: (operand, at) => {
    const end = isNumeric(operand) ? toNumber(operand) : Number.NaN;
    if (end !== 1 && end !== -1)
      throw new CommandError(9, `$pop expects 1 or -1, found: ${shellText(operand)}`);
    return (current) => {
      if (current === undefined) return KEEP;
      if (!Array.isArray(current)) {
        throw new CommandError(
          14,
          `Path '${at.path}' contains an element of non-array type '${typeOf(current)}'`,
        );
      }
      return end === 1 ? current.slice(0, -1) : current.slice(1);
    };
  },
  $pull: (operand, at) => {
    const matches = at.matcher(operand);
    return (current) => filterArray(current, (element) => !matches(element), '$pull');
  },
  $pullAll: (operand) => {
    if (!Array.isArray(operand)) {
      throw new CommandError(2, `$pullAll requires an array argument but was given a ${typeOf(operand)}`);
    }
    return (current) =>
      filterArray(current, (element) => !operand.some((value: unknown) => equal(element, value)), '$pullAll');
  },
};

function filterArray(current: unknown, keep: (element: unknown) => boolean, name: string): unknown {
  if (current === undefined) return KEEP;
  if (!Array.isArray(current)) throw new CommandError(2, `Cannot apply ${name} to a non-array value`);
  return current.filter(keep);
}

function arrayOf(current: unknown, path: string, doc: Doc): readonly unknown[] | undefined {
  if (current === undefined || Array.isArray(current)) return current;
  throw new CommandError(
    2,
    `The field '${path}' must be an array but is of type ${typeOf(current)} in document {_id: ${shellText(doc._id)}}`,
  );
}

interface PushModifiers {
  readonly each: readonly unknown[];
  readonly position: number | undefined;
  readonly slice: number | undefined;
  readonly order: ((a: unknown, b: unknown) => number) | undefined;
}

function pushModifiers(operand: unknown): PushModifiers {
  if (!isDoc(operand) || !('$each' in operand)) {
    return { each: [operand], position: undefined, slice: undefined, order: undefined };
  }
  const unknown = Object.keys(operand).find((name) => !PUSH_MODIFIERS.has(name));
  if (unknown !== undefined) throw new CommandError(2, `Unrecognized clause in $push: ${unknown}`);
  return {
    each: eachOf('$push', operand),
    position: integerOf('$position', operand.$position),
    slice: integerOf('$slice', operand.$slice),
    order: operand.$sort === undefined ? undefined : orderOf(operand.$sort),
  };
}

function eachOf(name: string, operand: Doc): readonly unknown[] {
  if (Array.isArray(operand.$each)) return operand.$each;
  throw new CommandError(
    14,
    `The argument to $each in ${name} must be an array but it was of type: ${typeOf(operand.$each)}`,
  );
}

function integerOf(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const number = isNumeric(value) ? toNumber(value) : Number.NaN;
  if (Number.isInteger(number)) return number;
  throw new CommandError(
    2,
    `The value for ${name} must be an integer value but was given type: ${typeOf(value)}`,
  );
}

function orderOf(sort: unknown): (a: unknown, b: unknown) => number {
  if (!isDoc(sort)) {
    const direction = directionOf(sort);
    return (a, b) => direction * compare(a, b);
  }
  const keys = new KeyMaker(
    Object.entries(sort).map(([path, value]) => ({ path, direction: directionOf(value) })),
  );
  return (a, b) => {
    const left = keys.sortKeyOf(a);
    const right = keys.sortKeyOf(b);
    return left < right ? -1 : left > right ? 1 : 0;
  };
}

function push(current: readonly unknown[], { each, position, slice, order }: PushModifiers): unknown[] {
  const at =
    position === undefined
      ? current.length
      : position < 0
        ? Math.max(0, current.length + position)
        : position;
  const array = [...current.slice(0, at), ...each, ...current.slice(at)];
  if (order) array.sort(order);
  if (slice === undefined) return array;
  return slice < 0 ? array.slice(slice) : array.slice(0, slice);
}
