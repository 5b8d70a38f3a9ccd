import { Decimal128, Long } from 'bson';
import { compareExact, type Exact, exactOf, scaled } from './exact.js';
import { toNumber } from './to-number.js';

/** The precision of a decimal128. */
const DIGITS = 34;

/** Converts any number to a decimal128. A double keeps 15 significant digits, as in MongoDB. */
export function decimalFrom(value: unknown): Decimal128 {
  if (value instanceof Decimal128) return value;
  if (value instanceof Long) return Decimal128.fromString(value.toString());
  const number = toNumber(value);
  if (!Number.isFinite(number)) return special(number);
  return Decimal128.fromString(Number.isSafeInteger(number) ? String(number) : number.toPrecision(15));
}

/** Compares two numbers exactly when at least one is a decimal. NaN comes first, then -Infinity. */
export function compareDecimals(a: unknown, b: unknown): number {
  const left = exactOf(a);
  const right = exactOf(b);
  return left && right ? compareExact(left, right) : rank(a, left) - rank(b, right);
}

/** Returns the sum, rounded to 34 digits. */
export function addDecimals(a: Decimal128, b: Decimal128): Decimal128 {
  const left = exactOf(a);
  const right = exactOf(b);
  if (left === undefined || right === undefined) return special(toNumber(a) + toNumber(b));
  const exponent = Math.min(left.exponent, right.exponent);
  return rounded({ coefficient: scaled(left, exponent) + scaled(right, exponent), exponent });
}

/** Returns the product, rounded to 34 digits. */
export function multiplyDecimals(a: Decimal128, b: Decimal128): Decimal128 {
  const left = exactOf(a);
  const right = exactOf(b);
  if (left === undefined || right === undefined) return special(toNumber(a) * toNumber(b));
  return rounded({
    coefficient: left.coefficient * right.coefficient,
    exponent: left.exponent + right.exponent,
  });
}

/** Returns the quotient, rounded to 34 digits. The divisor must not be zero. */
export function divideDecimals(a: Decimal128, b: Decimal128): Decimal128 {
  const left = exactOf(a);
  const right = exactOf(b);
  if (left === undefined || right === undefined) return special(toNumber(a) / toNumber(b));
  const coefficient = (left.coefficient * 10n ** BigInt(2 * DIGITS)) / right.coefficient;
  return rounded(withoutZeros({ coefficient, exponent: left.exponent - right.exponent - 2 * DIGITS }));
}

function withoutZeros({ coefficient, exponent }: Exact): Exact {
  if (coefficient === 0n) return { coefficient, exponent: 0 };
  let digits = coefficient;
  let power = exponent;
  while (power < 0 && digits % 10n === 0n) {
    digits /= 10n;
    power += 1;
  }
  return { coefficient: digits, exponent: power };
}

/** Rounds half to even, the default of IEEE 754 decimals. */
function rounded({ coefficient, exponent }: Exact): Decimal128 {
  const magnitude = coefficient < 0n ? -coefficient : coefficient;
  const excess = Math.max(0, magnitude.toString().length - DIGITS);
  const digits = excess > 0 ? divideHalfEven(magnitude, 10n ** BigInt(excess)) : magnitude;
  return Decimal128.fromString(`${coefficient < 0n ? '-' : ''}${digits}E${exponent + excess}`);
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

function rank(value: unknown, exact: Exact | undefined): number {
  const number = toNumber(value);
  if (Number.isNaN(number)) return 0;
  if (exact) return 2;
  return number < 0 ? 1 : 3;
}
