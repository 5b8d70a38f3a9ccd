import { Decimal128, Double, Long } from 'bson';
import { addDecimals, compareDecimals, decimalFrom, multiplyDecimals } from './decimal.js';
import { toNumber } from './to-number.js';
import { typeOf } from './type-of.js';

/** Returns a value that is encoded as a double, even for an integer. */
export function asDouble(value: number): number | Double {
  return value === (value | 0) && !Object.is(value, -0) ? new Double(value) : value;
}

/** Returns a value that is encoded as an int32 if it fits, and otherwise as an int64. */
export function asIntegral(value: bigint): number | Long | number {
  return value >= -0x80000000n && value <= 0x7fffffffn ? Number(value) : Long.fromBigInt(value);
}

/** Compares values of any two numeric types exactly. NaN comes before every other number. */
export function compareNumbers(a: unknown, b: unknown): number {
  if (a instanceof Decimal128 || b instanceof Decimal128) return compareDecimals(a, b);
  if (a instanceof Long && b instanceof Long) return a.compare(b);
  const left = toNumber(a);
  const right = toNumber(b);
  if (Number.isNaN(left) || Number.isNaN(right))
    return Number(Number.isNaN(right)) - Number(Number.isNaN(left));
  if (left !== right) return left < right ? -1 : 1;
  return a instanceof Long || b instanceof Long ? compareExactly(a, b) : 0;
}

/** Compares a Long beyond 2^53 exactly with a double. The two are equal as doubles, but their values may differ. */
function compareExactly(a: unknown, b: unknown): number {
  if (Math.abs(toNumber(a)) === Number.POSITIVE_INFINITY) return 0;
  const left = toBigInt(a);
  const right = toBigInt(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Returns the integer part of a finite numeric value. */
export function toBigInt(value: unknown): bigint {
  return value instanceof Long ? value.toBigInt() : BigInt(Math.trunc(toNumber(value)));
}

/** Adds two numeric values as `$inc` and `$add` do. The wider type wins, and int32 overflows into int64. */
export function add(a: unknown, b: unknown): unknown {
  return combine(
    a,
    b,
    (x, y) => x + y,
    (x, y) => x + y,
    addDecimals,
  );
}

/** Multiplies two numeric values as `$mul` and `$multiply` do. */
export function multiply(a: unknown, b: unknown): unknown {
  return combine(
    a,
    b,
    (x, y) => x * y,
    (x, y) => x * y,
    multiplyDecimals,
  );
}

/** Returns the negative of a numeric value. It has the same type if it fits. */
export function negate(value: unknown): unknown {
  return multiply(value, -1);
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

function combine(
  a: unknown,
  b: unknown,
  doubles: (x: number, y: number) => number,
  integers: (x: bigint, y: bigint) => bigint,
  decimals: (x: Decimal128, y: Decimal128) => Decimal128,
): unknown {
  const left = typeOf(a);
  const right = typeOf(b);
  if (left === 'decimal' || right === 'decimal') return decimals(decimalFrom(a), decimalFrom(b));
  if (left === 'double' || right === 'double') return asDouble(doubles(toNumber(a), toNumber(b)));
  const result = integers(toBigInt(a), toBigInt(b));
  if (left === 'long' || right === 'long') {
    const fits = result >= INT64_MIN && result <= INT64_MAX;
    return fits ? Long.fromBigInt(result) : asDouble(Number(result));
  }
  return asIntegral(result);
}
