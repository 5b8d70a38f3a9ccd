import { BSONRegExp } from 'bson';
import { evalExpr } from 'mingo/core';
import * as mingo from 'mingo/operators/expression';
import { isDoc } from '../../bson/type-of.js';
import { toRegExp } from '../regex.js';
import { arithmetic } from './arithmetic.js';
import { collections } from './collections.js';
import { conversion } from './conversion.js';
import { logic } from './logic.js';
import { type Expression, withPlainNumbers } from './operands.js';

/** Operators of mingo that are right but for longs and doubles among their operands. */
const PLAIN_NUMBERS = [
  '$arrayElemAt',
  '$slice',
  '$range',
  '$substr',
  '$substrCP',
  '$substrBytes',
  '$log',
  '$dateAdd',
  '$dateSubtract',
  '$dateFromParts',
  '$indexOfCP',
  '$indexOfBytes',
];

const REGEX = ['$regexMatch', '$regexFind', '$regexFindAll'];

/** What this server puts in the place of mingo's expression operators. */
export const expressionOverrides: Record<string, Expression> = {
  ...wrapped(PLAIN_NUMBERS, withPlainNumbers),
  ...wrapped(REGEX, withRegExp),
  ...logic,
  ...arithmetic,
  ...conversion,
  ...collections,
};

function wrapped(
  names: readonly string[],
  wrap: (operator: Expression) => Expression,
): Record<string, Expression> {
  const operators: Readonly<Record<string, unknown>> = mingo;
  const entries = names.flatMap((name) => {
    const operator = operators[name];
    return isExpression(operator) ? [[name, wrap(operator)] as const] : [];
  });
  return Object.fromEntries(entries);
}

function isExpression(operator: unknown): operator is Expression {
  return typeof operator === 'function';
}

/** Gives mingo a BSON regular expression as the JavaScript one it knows. */
function withRegExp(operator: Expression): Expression {
  return (context, operand, options) => {
    if (!isDoc(operand)) return operator(context, operand, options);
    const regex = evalExpr(context, operand.regex, options);
    return operator(
      context,
      { ...operand, regex: regex instanceof BSONRegExp ? toRegExp(regex) : regex },
      options,
    );
  };
}
