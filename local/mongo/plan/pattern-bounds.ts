import { BSONRegExp } from 'bson';
import { TYPE_BYTE } from '../storage/key-string.js';
import { type Interval, point, startingWith } from './intervals.js';

/**
 * Returns the intervals that a regular expression may match: strings with the expression's literal prefix, and the
 * expression itself as a value.
 */
export function patternIntervals(pattern: BSONRegExp): readonly Interval[] {
  const prefix = literalPrefix(pattern);
  const bytes = Buffer.from(prefix).toString('latin1').replaceAll('\0', '\0\xff');
  return [startingWith(String.fromCharCode(TYPE_BYTE.string) + bytes), point(pattern)];
}

/** Returns the regular expression of `$regex` and `$options`. */
export function exactPattern(regex: unknown, options: unknown): BSONRegExp {
  const pattern = regex instanceof BSONRegExp ? regex : new BSONRegExp(String(regex));
  return typeof options === 'string' ? new BSONRegExp(pattern.pattern, options) : pattern;
}

/** Returns the literal text after `^`. Empty if case is ignored or the expression has alternatives. */
function literalPrefix({ pattern, options }: BSONRegExp): string {
  if (/[imx]/.test(options) || !pattern.startsWith('^') || pattern.includes('|')) return '';
  const [literal = ''] = /^[^\\^$.*+?()[\]{}|]*/.exec(pattern.slice(1)) ?? [];
  const next = pattern.charAt(1 + literal.length);
  return '*?{'.includes(next) && next !== '' ? literal.slice(0, -1) : literal;
}
