import { Decimal128, Long } from 'bson';
import { toNumber } from './numbers.js';

/** A finite decimal as `coefficient * 10 ** exponent`. */
interface Parts {
  readonly coefficient: bigint;
  readonly exponent: number;
}

const DIGITS = 34;

/** The decimal128 value of any number; a double is taken with 15 significant digits, as MongoDB does. */
export function decimalFrom(value: unknown): Decimal128 {
  if (value instanceof Decimal128) return value;
  if (value instanceof Long) return Decimal128.fromString(value.toString());
  const number = toNumber(value);
  if (!Number.isFinite(number)) return Decimal128.fromString(Number.isNaN(number) ? 'NaN' : `${number}`);
  return Decimal128.fromString(Number.isInteger(number) ? BigInt(number).toString() : number.toPrecision(15));
}

/** Compares two decimals by value; NaN first, then -Infinity. */
export function compareDecimals(a: Decimal128, b: Decimal128): number {
  const left = partsOf(a);
  const right = partsOf(b);
  if (left === undefined || right === undefined) return specialRank(a) - specialRank(b);
  const [x, y] = align(left, right);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The sum, rounded to 34 digits. */
export function addDecimals(a: Decimal128, b: Decimal128): Decimal128 {
  const left = partsOf(a);
  const right = partsOf(b);
  if (left === undefined || right === undefined) return special(toNumber(a) + toNumber(b));
  const [x, y] = align(left, right);
  return fromParts({ coefficient: x + y, exponent: Math.min(left.exponent, right.exponent) });
}

/** The product, rounded to 34 digits. */
export function multiplyDecimals(a: Decimal128, b: Decimal128): Decimal128 {
  const left = partsOf(a);
  const right = partsOf(b);
  if (left === undefined || right === undefined) return special(toNumber(a) * toNumber(b));
  return fromParts({
    coefficient: left.coefficient * right.coefficient,
    exponent: left.exponent + right.exponent,
  });
}

/** The quotient, rounded to 34 digits. The divisor must not be zero. */
export function divideDecimals(a: Decimal128, b: Decimal128): Decimal128 {
  const left = partsOf(a);
  const right = partsOf(b);
  if (left === undefined || right === undefined) return special(toNumber(a) / toNumber(b));
  const scaled = left.coefficient * 10n ** BigInt(2 * DIGITS);
  const exponent = left.exponent - right.exponent - 2 * DIGITS;
  return fromParts(trimZeros({ coefficient: scaled / right.coefficient, exponent }));
}

/** The value without its trailing zeros, as text: equal decimals give equal text. */
export function normalizedDecimal(value: Decimal128): { coefficient: bigint; exponent: number } | undefined {
  const parts = partsOf(value);
  return parts && trimZeros(parts, Number.POSITIVE_INFINITY);
}

function partsOf(value: Decimal128): Parts | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]?\d+))?$/.exec(value.toString());
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const magnitude = BigInt(whole + fraction);
  return {
    coefficient: sign === '-' ? -magnitude : magnitude,
    exponent: Number(exponent) - fraction.length,
  };
}

function align(a: Parts, b: Parts): [bigint, bigint] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [scaleTo(a, exponent), scaleTo(b, exponent)];
}

function scaleTo(parts: Parts, exponent: number): bigint {
  return parts.coefficient * 10n ** BigInt(parts.exponent - exponent);
}

function trimZeros(parts: Parts, upTo = 0): Parts {
  let { coefficient, exponent } = parts;
  if (coefficient === 0n) return { coefficient, exponent: 0 };
  while (exponent < upTo && coefficient % 10n === 0n) {
    coefficient /= 10n;
    exponent += 1;
  }
  return { coefficient, exponent };
}

/** Rounds half to even, as IEEE 754 decimals do by default. */
function fromParts(parts: Parts): Decimal128 {
  const negative = parts.coefficient < 0n;
  let magnitude = negative ? -parts.coefficient : parts.coefficient;
  let exponent = parts.exponent;
  const excess = magnitude.toString().length - DIGITS;
  if (excess > 0) {
    magnitude = divideHalfEven(magnitude, 10n ** BigInt(excess));
    exponent += excess;
  }
  return Decimal128.fromString(`${negative ? '-' : ''}${magnitude}E${exponent}`);
}

function divideHalfEven(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  const twice = (value % divisor) * 2n;
  const up = twice > divisor || (twice === divisor && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

function special(value: number): Decimal128 {
  return Decimal128.fromString(Number.isNaN(value) ? 'NaN' : `${value}`);
}

function specialRank(value: Decimal128): number {
  const text = value.toString();
  if (text === 'NaN') return 0;
  if (text === '-Infinity') return 1;
  return text === 'Infinity' ? 3 : 2;
}
