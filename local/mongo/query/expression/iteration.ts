import { evalExpr } from 'mingo/core';
import type { Options } from 'mingo/types';
import { toNumber } from '../../bson/to-number.js';
import { isDoc, isNumeric, typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { truthy } from '../truth.js';
import { argumentsOf, type Expression, isNullish, mingoOperator } from './operands.js';

const mingoLet = mingoOperator('$let');

/** Operators that evaluate an expression for each element of an array. */
export const iteration: Record<string, Expression> = {
  $map: (context, operand, options) => {
    const { input, as, in: each } = operandsOf('$map', operand, ['input', 'in'], ['as']);
    const array = arrayOf('$map', evalExpr(context, input, options));
    return (
      array?.map((element) => evaluateWith({ [nameOf(as)]: element }, context, each, options) ?? null) ?? null
    );
  },
  $filter: (context, operand, options) => {
    const { input, as, cond, limit } = operandsOf('$filter', operand, ['input', 'cond'], ['as', 'limit']);
    const array = arrayOf('$filter', evalExpr(context, input, options));
    const count = limitOf(limit === undefined ? undefined : evalExpr(context, limit, options));
    const accepts = (element: unknown) =>
      truthy(evaluateWith({ [nameOf(as)]: element }, context, cond, options));
    return array?.filter(accepts).slice(0, count) ?? null;
  },
  $reduce: (context, operand, options) => {
    const {
      input,
      initialValue,
      in: each,
    } = operandsOf('$reduce', operand, ['input', 'initialValue', 'in'], []);
    const array = arrayOf('$reduce', evalExpr(context, input, options));
    const start = evalExpr(context, initialValue, options);
    if (array === undefined) return null;
    return array.reduce(
      (value, element) => evaluateWith({ this: element, value }, context, each, options),
      start,
    );
  },
  $zip: (context, operand, options) => {
    const given = argumentsOf(
      '$zip',
      context,
      operand,
      options,
      ['inputs'],
      ['useLongestLength', 'defaults'],
    );
    const inputs = arrayOf('$zip', given.inputs);
    if (inputs === undefined || inputs.some(isNullish)) return null;
    const arrays = inputs.map((one) => arrayOf('$zip', one) ?? []);
    const defaults = arrayOf('$zip', given.defaults) ?? [];
    const lengths = arrays.map(({ length }) => length);
    const length = truthy(given.useLongestLength) ? Math.max(...lengths) : Math.min(...lengths);
    return Array.from({ length }, (_, i) =>
      arrays.map((array, k) => (i < array.length ? array[i] : (defaults[k] ?? null)) ?? null),
    );
  },
};

/** Returns the value of an expression that is evaluated with these variables. */
export function evaluateWith(
  variables: Record<string, unknown>,
  context: unknown,
  expression: unknown,
  options: Options,
): unknown {
  const vars = Object.entries(variables).map(([name, value]) => [name, { $literal: value }]);
  return mingoLet(context, { vars: Object.fromEntries(vars), in: expression }, options);
}

function operandsOf(
  name: string,
  operand: unknown,
  required: readonly string[],
  optional: readonly string[],
): Record<string, unknown> {
  if (!isDoc(operand)) throw new CommandError(16878, `${name} only supports an object as its argument`);
  const unknown = Object.keys(operand).find((key) => !required.includes(key) && !optional.includes(key));
  if (unknown !== undefined) throw new CommandError(16879, `Unrecognized parameter to ${name}: ${unknown}`);
  const missing = required.find((key) => operand[key] === undefined);
  if (missing !== undefined) throw new CommandError(16880, `Missing '${missing}' parameter to ${name}`);
  return operand;
}

function arrayOf(name: string, value: unknown): readonly unknown[] | undefined {
  if (isNullish(value)) return undefined;
  if (Array.isArray(value)) return value;
  throw new CommandError(16883, `input to ${name} must be an array not ${typeOf(value)}`);
}

function nameOf(as: unknown): string {
  return typeof as === 'string' ? as : 'this';
}

function limitOf(limit: unknown): number {
  if (isNullish(limit)) return Number.POSITIVE_INFINITY;
  const number = isNumeric(limit) ? toNumber(limit) : Number.NaN;
  if (Number.isInteger(number) && number > 0) return number;
  throw new CommandError(
    327392,
    '$filter: limit must be represented as a 32-bit integral value greater than 0',
  );
}
