import { Double, Long } from 'bson';
import { evalExpr } from 'mingo/core';
import * as mingo from 'mingo/operators/expression';
import type { Options } from 'mingo/types';
import type { Doc } from '../../bson/decode.js';
import { isDoc, isNumeric, typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';

/** A mingo expression operator, which computes a value from its operand in the context of a document. */
export type Expression = (context: unknown, operand: unknown, options: Options) => unknown;

const mingoOperators: Readonly<Record<string, unknown>> = mingo;

/** Returns mingo's own expression operator. */
export function mingoOperator(name: string): Expression {
  const operator = mingoOperators[name];
  if (isExpression(operator)) return operator;
  throw new Error(`mingo has no operator ${name}`);
}

function isExpression(operator: unknown): operator is Expression {
  return typeof operator === 'function';
}

/** Returns the values of an operator's operands. A single operand needs no array. */
export function operandsOf(context: unknown, operand: unknown, options: Options): readonly unknown[] {
  const operands: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  return operands.map((one) => evalExpr(context, one, options));
}

/** Returns an operator of exactly one operand, which may stand in an array of one. */
export function unary(compute: (value: unknown) => unknown): Expression {
  return (context, operand, options) => compute(operandsOf(context, operand, options)[0]);
}

/** Returns an operator with any number of operands. */
export function variadic(compute: (values: readonly unknown[]) => unknown): Expression {
  return (context, operand, options) => compute(operandsOf(context, operand, options));
}

export function isNullish(value: unknown): boolean {
  return value === undefined || value === null;
}

/** Throws for a value that is not a number. The default code is 14. */
export function requireNumbers(name: string, values: readonly unknown[], code = 14): void {
  const wrong = values.find((value) => !isNumeric(value));
  if (wrong !== undefined)
    throw new CommandError(code, `${name} only supports numeric types, not ${typeOf(wrong)}`);
}

/** Wraps an operator of mingo. The operator gets longs and doubles as plain numbers, because it knows no others. */
export function withPlainNumbers(operator: Expression): Expression {
  return (context, operand, options) => {
    if (Array.isArray(operand)) {
      const values = operandsOf(context, operand, options).map((value) => literal(plain(value)));
      return operator(context, values.length === 1 ? values[0] : values, options);
    }
    if (!isDoc(operand) || Object.keys(operand)[0]?.startsWith('$')) {
      return operator(context, literal(plain(evalExpr(context, operand, options))), options);
    }
    const fields: Doc = {};
    for (const [name, field] of Object.entries(operand))
      fields[name] = literal(plain(evalExpr(context, field, options)));
    return operator(context, fields, options);
  };
}

function plain(value: unknown): unknown {
  if (value instanceof Double) return value.value;
  return typeOf(value) === 'long' && value instanceof Long ? value.toNumber() : value;
}

/** Protects a value from being evaluated a second time. */
function literal(value: unknown): unknown {
  return typeof value === 'string' || isDoc(value) || Array.isArray(value) ? { $literal: value } : value;
}

/** Returns the values of an operator's named operands. Throws for an unknown or missing name. */
export function argumentsOf(
  name: string,
  context: unknown,
  operand: unknown,
  options: Options,
  required: readonly string[],
  optional: readonly string[],
): Doc {
  if (!isDoc(operand)) throw new CommandError(40518, `${name} only supports an object as its argument`);
  const unknown = Object.keys(operand).find((key) => !required.includes(key) && !optional.includes(key));
  if (unknown !== undefined) throw new CommandError(40519, `Unrecognized argument to ${name}: ${unknown}`);
  const missing = required.find((key) => operand[key] === undefined);
  if (missing !== undefined) throw new CommandError(40522, `Missing '${missing}' parameter to ${name}`);
  const given: Doc = {};
  for (const [key, one] of Object.entries(operand)) given[key] = evalExpr(context, one, options) ?? null;
  return given;
}
