import { toNumber } from '../../bson/to-number.js';
import { isNumeric, typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { toText } from './conversion.js';
import { argumentsOf, type Expression, isNullish, unary, variadic } from './operands.js';

/** Operators on strings. Positions count code points or UTF-8 bytes. */
export const strings: Record<string, Expression> = {
  $concat: variadic((values) => {
    if (values.some(isNullish)) return null;
    const wrong = values.find((value) => typeof value !== 'string');
    if (wrong !== undefined)
      throw new CommandError(16702, `$concat only supports strings, not ${typeOf(wrong)}`);
    return values.join('');
  }),
  $toUpper: unary((value) => coerced(value).replace(/[a-z]+/g, (letters) => letters.toUpperCase())),
  $toLower: unary((value) => coerced(value).replace(/[A-Z]+/g, (letters) => letters.toLowerCase())),
  $strcasecmp: variadic(([a, b]) => {
    const [left, right] = [coerced(a).toUpperCase(), coerced(b).toUpperCase()];
    return left < right ? -1 : Number(left > right);
  }),
  $strLenCP: unary((value) => [...text(34471, '$strLenCP', value)].length),
  $strLenBytes: unary((value) => Buffer.byteLength(text(34473, '$strLenBytes', value))),
  $substr: variadic(substrBytes),
  $substrBytes: variadic(substrBytes),
  $substrCP: variadic(([value, start, length]) => {
    const [from, count] = [position(34450, '$substrCP', start), position(34452, '$substrCP', length)];
    if (from < 0) throw new CommandError(34455, '$substrCP: starting index must be non-negative');
    if (count < 0) throw new CommandError(34454, '$substrCP: length must be non-negative');
    return [...coerced(value)].slice(from, from + count).join('');
  }),
  $split: variadic(([value, separator]) => {
    if (isNullish(value) || isNullish(separator)) return null;
    const by = text(40086, '$split', separator);
    if (by === '') throw new CommandError(40087, '$split requires a non-empty separator');
    return text(40085, '$split', value).split(by);
  }),
  $indexOfCP: variadic((values) => indexOf('$indexOfCP', values, (value) => [...value])),
  $indexOfBytes: variadic((values) => indexOf('$indexOfBytes', values, (value) => [...Buffer.from(value)])),
  $trim: trimming('$trim', true, true),
  $ltrim: trimming('$ltrim', true, false),
  $rtrim: trimming('$rtrim', false, true),
  $replaceOne: replacing('$replaceOne', (input, find, replacement) => input.replace(find, () => replacement)),
  $replaceAll: replacing('$replaceAll', (input, find, replacement) =>
    input.replaceAll(find, () => replacement),
  ),
};

/** Returns the text of a string, a number or a date. Null and missing become empty text. */
function coerced(value: unknown): string {
  if (typeof value === 'string') return value;
  return isNullish(value) ? '' : toText(value);
}

function text(code: number, name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new CommandError(code, `${name} requires a string argument, found: ${typeOf(value)}`);
}

function position(code: number, name: string, value: unknown): number {
  const number = isNumeric(value) ? Math.trunc(toNumber(value)) : Number.NaN;
  if (!Number.isNaN(number)) return number;
  throw new CommandError(code, `${name}: starting index and length must be numbers, found: ${typeOf(value)}`);
}

function substrBytes([value, start, length]: readonly unknown[]): string {
  const bytes = Buffer.from(coerced(value));
  const [from, count] = [position(16034, '$substrBytes', start), position(16035, '$substrBytes', length)];
  if (from < 0) throw new CommandError(50752, '$substrBytes: starting index must be non-negative');
  const to = count < 0 ? bytes.length : from + count;
  if (isContinuation(bytes[from]))
    throw new CommandError(
      28656,
      '$substrBytes:  Invalid range, starting index is a UTF-8 continuation byte.',
    );
  if (isContinuation(bytes[to]))
    throw new CommandError(
      28657,
      '$substrBytes:  Invalid range, ending index is in the middle of a UTF-8 character.',
    );
  return bytes.subarray(from, to).toString();
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function indexOf<T>(
  name: string,
  values: readonly unknown[],
  unitsOf: (value: string) => T[],
): number | null {
  const [value, wanted, start, end] = values;
  if (isNullish(value)) return null;
  const units = unitsOf(text(40091, name, value));
  const sought = unitsOf(text(40092, name, wanted));
  const from = values.length > 2 ? bound(name, start) : 0;
  const to = Math.min(units.length, values.length > 3 ? bound(name, end) : units.length);
  for (let i = from; i + sought.length <= to; i++)
    if (sought.every((unit, k) => units[i + k] === unit)) return i;
  return -1;
}

function bound(name: string, value: unknown): number {
  const number = isNumeric(value) ? toNumber(value) : Number.NaN;
  if (Number.isInteger(number) && number >= 0) return number;
  throw new CommandError(40096, `${name} requires non-negative integral bounds, found: ${typeOf(value)}`);
}

const WHITESPACE = new Set(
  '\0 \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a',
);

function trimming(name: string, left: boolean, right: boolean): Expression {
  return (context, operand, options) => {
    const given = argumentsOf(name, context, operand, options, ['input'], ['chars']);
    if (Object.values(given).some(isNullish)) return null;
    const units = [...text(50699, name, given.input)];
    const dropped = given.chars === undefined ? WHITESPACE : new Set(text(50700, name, given.chars));
    let [from, to] = [0, units.length];
    while (left && from < to && dropped.has(units[from] ?? '')) from += 1;
    while (right && to > from && dropped.has(units[to - 1] ?? '')) to -= 1;
    return units.slice(from, to).join('');
  };
}

function replacing(name: string, replace: (input: string, find: string, by: string) => string): Expression {
  return (context, operand, options) => {
    const given = argumentsOf(name, context, operand, options, ['input', 'find', 'replacement'], []);
    if (Object.values(given).some(isNullish)) return null;
    const [input, find, by] = [given.input, given.find, given.replacement].map((one) =>
      text(51746, name, one),
    );
    return replace(input ?? '', find ?? '', by ?? '');
  };
}
