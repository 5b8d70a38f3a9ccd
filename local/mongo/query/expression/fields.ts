import { evalExpr } from 'mingo/core';
import { type Doc, setField } from '../../bson/decode.js';
import { isDoc, typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { argumentsOf, type Expression, isNullish } from './operands.js';

/** The operator that replaces a path such as `$a.b` before evaluation. Its operands are `$a` and the further names. */
export const PATH = '$pathOf';

/** Operators on the fields of documents. */
export const fields: Record<string, Expression> = {
  [PATH]: (context, operand, options) => {
    const [start, ...path] = Array.isArray(operand) ? operand : [];
    return follow(evalExpr(context, start, options), path.map(String));
  },
  $getField: (context, operand, options) => {
    const named = isDoc(operand) && Object.hasOwn(operand, 'field');
    const field = nameOf('$getField', evalExpr(context, named ? operand.field : operand, options));
    const input = evalExpr(
      context,
      named && operand.input !== undefined ? operand.input : '$$CURRENT',
      options,
    );
    if (isNullish(input)) return input;
    return isDoc(input) && Object.hasOwn(input, field) ? input[field] : undefined;
  },
  $setField: (context, operand, options) => {
    const { field, input } = argumentsOf(
      '$setField',
      context,
      operand,
      options,
      ['field', 'input', 'value'],
      [],
    );
    const value = isDoc(operand) ? evalExpr(context, operand.value, options) : undefined;
    return withField('$setField', input, nameOf('$setField', field), value);
  },
  $unsetField: (context, operand, options) => {
    const { field, input } = argumentsOf('$unsetField', context, operand, options, ['field', 'input'], []);
    return withField('$unsetField', input, nameOf('$unsetField', field), undefined);
  },
};

/** Follows names through documents. An array stands for the values in its documents, and names are never indexes. */
function follow(value: unknown, path: readonly string[]): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (Array.isArray(value)) {
    return value.flatMap((element) => {
      const found = isDoc(element) ? follow(element, path) : undefined;
      return found === undefined ? [] : [found];
    });
  }
  return isDoc(value) && Object.hasOwn(value, name) ? follow(value[name], rest) : undefined;
}

function nameOf(operator: string, field: unknown): string {
  if (typeof field === 'string') return field;
  throw new CommandError(
    5654602,
    `${operator} requires 'field' to evaluate to a constant string, found ${typeOf(field)}`,
  );
}

function withField(operator: string, input: unknown, field: string, value: unknown): Doc | null {
  if (isNullish(input)) return null;
  if (!isDoc(input))
    throw new CommandError(4161105, `${operator} requires 'input' to evaluate to type Object`);
  const result: Doc = {};
  for (const [name, one] of Object.entries(input)) {
    const kept = name === field ? value : one;
    if (kept !== undefined) setField(result, name, kept);
  }
  if (value !== undefined && !Object.hasOwn(input, field)) setField(result, field, value);
  return result;
}
