import { Decimal128, Long, ObjectId, Timestamp } from 'bson';
import { evalExpr } from 'mingo/core';
import { decimalFrom } from '../../bson/decimal.js';
import { asDouble, toBigInt } from '../../bson/numbers.js';
import { toNumber } from '../../bson/to-number.js';
import { type BsonType, isDoc, isNumeric, TYPE_NUMBERS, typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { truthy } from '../truth.js';
import { parseDate } from './date-text.js';
import { type Expression, isNullish, unary } from './operands.js';

type Convert = (value: unknown) => unknown;

const CONVERSIONS: Partial<Record<BsonType, Convert>> = {
  string: toText,
  int: (value) => toInteger(value, 'int', -0x80000000n, 0x7fffffffn),
  long: (value) => toInteger(value, 'long', -(2n ** 63n), 2n ** 63n - 1n),
  double: (value) => asDouble(toNumber(toAnyNumber(value, 'double'))),
  decimal: (value) =>
    typeof value === 'string' ? parseDecimal(value) : decimalFrom(toAnyNumber(value, 'decimal')),
  bool: truthy,
  date: toDate,
  objectId: toObjectId,
};

/** `$convert` and its short forms. */
export const conversion: Record<string, Expression> = {
  $toString: to('string'),
  $toInt: to('int'),
  $toLong: to('long'),
  $toDouble: to('double'),
  $toDecimal: to('decimal'),
  $toBool: to('bool'),
  $toDate: to('date'),
  $toObjectId: to('objectId'),
  $convert: (context, operand, options) => {
    const { input, to: target, onError, onNull } = isDoc(operand) ? operand : {};
    const value = evalExpr(context, input, options);
    if (isNullish(value)) return onNull === undefined ? null : evalExpr(context, onNull, options);
    try {
      return convert(value, targetType(evalExpr(context, target, options)));
    } catch (error) {
      if (onError === undefined || !(error instanceof CommandError) || error.code !== 241) throw error;
      return evalExpr(context, onError, options);
    }
  },
};

function to(type: BsonType): Expression {
  return unary((value) => (isNullish(value) ? null : convert(value, type)));
}

function convert(value: unknown, type: BsonType): unknown {
  const conversion = CONVERSIONS[type];
  if (conversion === undefined) throw new CommandError(2, `$convert does not support the type ${type}`);
  return typeOf(value) === type ? value : conversion(value);
}

function targetType(target: unknown): BsonType {
  const type = isNumeric(target)
    ? TYPE_NUMBERS.get(toNumber(target))
    : [...TYPE_NUMBERS.values()].find((name) => name === target);
  if (type !== undefined) return type;
  throw new CommandError(2, `Unknown type name: ${target}`);
}

function unsupported(value: unknown, type: string): CommandError {
  return new CommandError(
    241,
    `Unsupported conversion from ${typeOf(value)} to ${type} in $convert with no onError value`,
  );
}

function failed(value: unknown, type: string): CommandError {
  return new CommandError(241, `Failed to parse '${value}' as ${type} in $convert with no onError value`);
}

/** Returns a number, a date, an ObjectId or a boolean as `$toString` writes it. */
export function toText(value: unknown): string {
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Long || value instanceof Decimal128) return value.toString();
  if (isNumeric(value)) return numberText(toNumber(value));
  throw unsupported(value, 'string');
}

/**
 * Returns a number as text, with as few digits as identify it. A number outside of 1e-4 to 1e16 gets an exponent of at
 * least two digits.
 */
function numberText(number: number): string {
  if (Object.is(number, -0)) return '-0';
  const size = Math.abs(number);
  if (size === 0 || !Number.isFinite(number) || (size >= 1e-4 && size < 1e16)) return String(number);
  return number.toExponential().replace(/([+-])(\d)$/, '$10$2');
}

function toAnyNumber(value: unknown, type: string): unknown {
  if (isNumeric(value)) return value;
  if (typeof value === 'boolean') return Number(value);
  if (value instanceof Date) return Long.fromNumber(value.getTime());
  if (typeof value !== 'string') throw unsupported(value, type);
  if (/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(value)) return asDouble(Number(value));
  throw failed(value, type);
}

function toInteger(value: unknown, type: 'int' | 'long', min: bigint, max: bigint): number | Long {
  if (typeof value === 'string' && !/^[-+]?\d+$/.test(value)) throw failed(value, type);
  const number = typeof value === 'string' ? undefined : toAnyNumber(value, type);
  if (number !== undefined && !Number.isFinite(toNumber(number))) throw failed(value, type);
  const integer = typeof value === 'string' ? BigInt(value.replace('+', '')) : toBigInt(number);
  if (integer < min || integer > max) {
    throw new CommandError(
      241,
      `Conversion would overflow target type in $convert with no onError value: ${integer}`,
    );
  }
  return type === 'int' ? Number(integer) : Long.fromBigInt(integer);
}

function parseDecimal(text: string): Decimal128 {
  try {
    return Decimal128.fromString(text);
  } catch {
    throw failed(text, 'decimal');
  }
}

function toDate(value: unknown): Date {
  if (value instanceof ObjectId) return value.getTimestamp();
  if (typeOf(value) === 'int') throw unsupported(value, 'date');
  if (value instanceof Timestamp) return new Date(value.t * 1000);
  if (typeof value === 'string') {
    const date = parseDate(value, undefined, undefined);
    if (date === undefined) throw failed(value, 'date');
    return date;
  }
  if (!isNumeric(value) || Number.isNaN(toNumber(value))) throw unsupported(value, 'date');
  return new Date(Math.trunc(toNumber(value)));
}

function toObjectId(value: unknown): ObjectId {
  if (typeof value !== 'string') throw unsupported(value, 'objectId');
  if (!/^[0-9a-fA-F]{24}$/.test(value)) throw failed(value, 'objectId');
  return new ObjectId(value);
}
