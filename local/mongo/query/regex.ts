import { BSONRegExp } from 'bson';
import { CommandError } from '../errors.js';

/**
 * Converts a BSON regular expression to JavaScript's. Options i, m, s, u mean the same. With x, removes the comments.
 */
export function toRegExp(value: unknown): RegExp {
  const { pattern, options } = value instanceof BSONRegExp ? value : new BSONRegExp(String(value));
  const extended = options.includes('x');
  const flags = [...options].filter((flag) => 'ims'.includes(flag)).join('');
  try {
    return new RegExp(extended ? withoutComments(pattern) : pattern, flags);
  } catch (error) {
    throw new CommandError(
      51091,
      `Regular expression is invalid: ${error instanceof Error ? error.message : ''}`,
    );
  }
}

/** Drops white space and comments outside of brackets and escapes, as PCRE's extended mode does. */
function withoutComments(pattern: string): string {
  return pattern.replace(/\\[\s\S]|\[(?:\\[\s\S]|[^\]])*\]|\s+|#.*$/gm, (part) =>
    /^(\s|#)/.test(part) ? '' : part,
  );
}
