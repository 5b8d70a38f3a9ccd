import { accumulatorOverrides } from '../accumulators.js';
import { arithmetic } from './arithmetic.js';
import { collections } from './collections.js';
import { conversion } from './conversion.js';
import { dates } from './dates.js';
import { elements, elementsOfArray } from './elements.js';
import { fields } from './fields.js';
import { iteration } from './iteration.js';
import { logic } from './logic.js';
import { type Expression, mingoOperator, withPlainNumbers } from './operands.js';
import { patterns } from './patterns.js';
import { strings } from './strings.js';

/** Operators of mingo that are right except for longs and doubles among their operands. */
const PLAIN_NUMBERS = ['$range'];

/** The operators that replace mingo's expression operators. */
export const expressionOverrides: Record<string, Expression> = {
  ...wrapped(PLAIN_NUMBERS, withPlainNumbers),
  ...outsideGroups(elementsOfArray),
  ...logic,
  ...arithmetic,
  ...conversion,
  ...collections,
  ...elements,
  ...fields,
  ...iteration,
  ...strings,
  ...patterns,
  ...dates,
};

function wrapped(
  names: readonly string[],
  wrap: (operator: Expression) => Expression,
): Record<string, Expression> {
  return Object.fromEntries(names.map((name) => [name, wrap(mingoOperator(name))]));
}

/**
 * Wraps operators that share a name with an accumulator. In a group, mingo first calls the operator with all documents.
 */
function outsideGroups(operators: Record<string, Expression>): Record<string, Expression> {
  const entries = Object.entries(operators).map(([name, operator]) => {
    const accumulator = accumulatorOverrides[name];
    const either: Expression = (context, operand, options) =>
      Array.isArray(context) && accumulator
        ? accumulator(context, operand, options)
        : operator(context, operand, options);
    return [name, either] as const;
  });
  return Object.fromEntries(entries);
}
