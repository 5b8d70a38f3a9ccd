import { evalExpr } from 'mingo/core';
import { compare } from '../../bson/compare.js';
import { isDoc, isNumeric, typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { truthy } from '../truth.js';
import { type Expression, unary, variadic } from './operands.js';

/** Comparisons in BSON order across types, and operators that depend on the truth of a value. */
export const logic: Record<string, Expression> = {
  $literal: (_, operand) => operand,
  $eq: ordering((order) => order === 0),
  $ne: ordering((order) => order !== 0),
  $lt: ordering((order) => order < 0),
  $lte: ordering((order) => order <= 0),
  $gt: ordering((order) => order > 0),
  $gte: ordering((order) => order >= 0),
  $cmp: ordering(Math.sign),
  $and: (context, operand, options) =>
    listOf(operand).every((one) => truthy(evalExpr(context, one, options))),
  $or: (context, operand, options) => listOf(operand).some((one) => truthy(evalExpr(context, one, options))),
  $not: unary((value) => !truthy(value)),
  $cond: (context, operand, options) => {
    const [test, yes, no] = branchesOf(operand);
    return evalExpr(context, truthy(evalExpr(context, test, options)) ? yes : no, options);
  },
  $switch: (context, operand, options) => {
    const { branches, default: otherwise } = isDoc(operand) ? operand : {};
    const found = listOf(branches).find((one) => isDoc(one) && truthy(evalExpr(context, one.case, options)));
    if (isDoc(found)) return evalExpr(context, found.then, options);
    if (otherwise !== undefined) return evalExpr(context, otherwise, options);
    throw new CommandError(
      40066,
      '$switch could not find a matching branch for an input, and no default was specified.',
    );
  },
  $type: unary(typeOf),
  $isNumber: unary(isNumeric),
};

function ordering<T>(result: (order: number) => T): Expression {
  return variadic((values) => {
    if (values.length !== 2) {
      throw new CommandError(16020, `Expression takes exactly 2 arguments. ${values.length} were passed in.`);
    }
    return result(compare(values[0], values[1]));
  });
}

function listOf(operand: unknown): readonly unknown[] {
  return Array.isArray(operand) ? operand : [operand];
}

function branchesOf(operand: unknown): readonly [unknown, unknown, unknown] {
  if (Array.isArray(operand) && operand.length === 3) return [operand[0], operand[1], operand[2]];
  if (isDoc(operand) && 'if' in operand && 'then' in operand && 'else' in operand) {
    return [operand.if, operand.then, operand.else];
  }
  throw new CommandError(16020, '$cond takes three operands: if, then and else');
}
