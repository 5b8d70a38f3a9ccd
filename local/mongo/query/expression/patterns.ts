import { BSONRegExp } from 'bson';
import type { Options } from 'mingo/types';
import { typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { toRegExp } from '../regex.js';
import { argumentsOf, type Expression, isNullish } from './operands.js';

interface Match {
  readonly match: string;
  /** The position in code points. */
  readonly idx: number;
  readonly captures: readonly (string | null)[];
}

/** Operators that search with a regular expression. */
export const patterns: Record<string, Expression> = {
  $regexMatch: (context, operand, options) => {
    const { input, pattern } = searchOf('$regexMatch', context, operand, options);
    return pattern?.test(input) ?? false;
  },
  $regexFind: (context, operand, options) => {
    const { input, pattern } = searchOf('$regexFind', context, operand, options);
    const found = pattern?.exec(input);
    return found ? matchOf(found) : null;
  },
  $regexFindAll: (context, operand, options) => {
    const { input, pattern } = searchOf('$regexFindAll', context, operand, options);
    if (pattern === undefined) return [];
    return [...input.matchAll(new RegExp(pattern.source, `${pattern.flags}g`))].map(matchOf);
  },
};

/** Evaluates the operands. If `input` or `regex` is null, `pattern` is `undefined`, and nothing matches. */
function searchOf(
  name: string,
  context: unknown,
  operand: unknown,
  options: Options,
): { input: string; pattern: RegExp | undefined } {
  const given = argumentsOf(name, context, operand, options, ['input', 'regex'], ['options']);
  const { input, regex, options: flags } = given;
  if (isNullish(input) || isNullish(regex)) return { input: '', pattern: undefined };
  if (typeof input !== 'string')
    throw new CommandError(51104, `${name} needs 'input' to be of type string, found ${typeOf(input)}`);
  return { input, pattern: toRegExp(expressionOf(name, regex, flags)) };
}

function expressionOf(name: string, regex: unknown, flags: unknown): BSONRegExp {
  if (!isNullish(flags) && typeof flags !== 'string')
    throw new CommandError(51106, `${name} needs 'options' to be of type string`);
  if (typeof regex === 'string') return new BSONRegExp(regex, typeof flags === 'string' ? flags : '');
  if (!(regex instanceof BSONRegExp))
    throw new CommandError(51105, `${name} needs 'regex' to be of type string or regex`);
  if (typeof flags !== 'string') return regex;
  if (regex.options !== '')
    throw new CommandError(
      51107,
      `${name}: found regex options specified in both 'regex' and 'options' fields`,
    );
  return new BSONRegExp(regex.pattern, flags);
}

function matchOf(found: RegExpExecArray): Match {
  const [match, ...captures] = found;
  return {
    match,
    idx: [...found.input.slice(0, found.index)].length,
    captures: captures.map((one) => one ?? null),
  };
}
