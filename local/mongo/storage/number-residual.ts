import type { Decimal128, Long } from 'bson';
import { exactOf, subtractExact } from '../bson/exact.js';

/** The residual of a number that is exactly a double. */
const EXACT = Buffer.of(0x80);
const DIGITS = 40;

/**
 * Splits a long or a decimal into its nearest double and some bytes. The bytes order the numbers that have the same nearest
 * double. They are the sign of the remainder, its decimal exponent and its first digits (inverted if negative).
 */
export function residualOf(
  value: Long | Decimal128,
  nearest: number,
): { double: number; residual: Uint8Array } {
  const exact = exactOf(value);
  if (exact === undefined) return { double: nearest, residual: EXACT };
  const double = Number.isFinite(nearest) ? nearest : Math.sign(nearest) * Number.MAX_VALUE;
  const rounded = exactOf(double) ?? exact;
  const { coefficient, exponent } = subtractExact(exact, rounded);
  return { double, residual: coefficient === 0n ? EXACT : encode(coefficient, exponent) };
}

function encode(difference: bigint, exponent: number): Uint8Array {
  const negative = difference < 0n;
  const digits = (negative ? -difference : difference).toString();
  const magnitude = exponent + digits.length + 0x4000;
  const bytes = Buffer.concat([
    Buffer.of(0xc0, magnitude >> 8, magnitude & 0xff),
    Buffer.from(digits.slice(0, DIGITS).padEnd(DIGITS, '0')),
  ]);
  return negative ? bytes.map((byte) => 0xff - byte) : bytes;
}
