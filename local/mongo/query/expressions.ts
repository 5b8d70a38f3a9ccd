import { Long } from 'bson';
import { evalExpr } from 'mingo/core';
import type { Options } from 'mingo/types';
import { compare } from '../bson/compare.js';
import { add, asDouble, multiply, negate, toNumber } from '../bson/numbers.js';
import { isNumeric, typeOf } from '../bson/type-of.js';
import { CommandError } from '../errors.js';

type Expression = (context: unknown, operand: unknown, options: Options) => unknown;

/** mingo's expression operators, replaced where it does not know BSON's types and their order. */
export const expressionOverrides: Record<string, Expression> = {
  $literal: (_, operand) => operand,
  $eq: ordering((order) => order === 0),
  $ne: ordering((order) => order !== 0),
  $lt: ordering((order) => order < 0),
  $lte: ordering((order) => order <= 0),
  $gt: ordering((order) => order > 0),
  $gte: ordering((order) => order >= 0),
  $cmp: ordering((order) => Math.sign(order)),
  $add: (context, operand, options) => sum('$add', values(context, operand, options)),
  $subtract: (context, operand, options) => subtract(values(context, operand, options)),
  $multiply: (context, operand, options) => product(values(context, operand, options)),
  $type: (context, operand, options) => typeOf(evalExpr(context, operand, options)),
  $isNumber: (context, operand, options) => isNumeric(evalExpr(context, operand, options)),
};

function ordering<T>(result: (order: number) => T): Expression {
  return (context, operand, options) => {
    const [left, right] = values(context, operand, options);
    return result(compare(left, right));
  };
}

function values(context: unknown, operand: unknown, options: Options): readonly unknown[] {
  const operands: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  return operands.map((one) => evalExpr(context, one, options));
}

function isNullish(value: unknown): boolean {
  return value === undefined || value === null;
}

/** At most one operand may be a date, to which the others are added as milliseconds. */
function sum(name: string, operands: readonly unknown[]): unknown {
  if (operands.some(isNullish)) return null;
  const dates = operands.filter((value) => value instanceof Date);
  if (dates.length > 1) throw new CommandError(16612, `only one date allowed in an ${name} expression`);
  const numbers = operands.filter((value) => !(value instanceof Date));
  const wrong = numbers.find((value) => !isNumeric(value));
  if (wrong !== undefined) {
    throw new CommandError(14, `${name} only supports numeric or date types, not ${typeOf(wrong)}`);
  }
  const total = numbers.reduce(add, 0);
  return dates[0] === undefined ? total : new Date(dates[0].getTime() + Math.round(toNumber(total)));
}

function subtract(operands: readonly unknown[]): unknown {
  const [left, right] = operands;
  if (isNullish(left) || isNullish(right)) return null;
  if (left instanceof Date && right instanceof Date) return Long.fromNumber(left.getTime() - right.getTime());
  if (left instanceof Date && isNumeric(right)) return new Date(left.getTime() - Math.round(toNumber(right)));
  if (!isNumeric(left) || !isNumeric(right)) {
    throw new CommandError(14, `can't $subtract ${typeOf(right)} from ${typeOf(left)}`);
  }
  return typeOf(left) === 'double' || typeOf(right) === 'double'
    ? asDouble(toNumber(left) - toNumber(right))
    : add(left, negate(right));
}

function product(operands: readonly unknown[]): unknown {
  if (operands.some(isNullish)) return null;
  const wrong = operands.find((value) => !isNumeric(value));
  if (wrong !== undefined)
    throw new CommandError(14, `$multiply only supports numeric types, not ${typeOf(wrong)}`);
  return operands.reduce(multiply, 1);
}
