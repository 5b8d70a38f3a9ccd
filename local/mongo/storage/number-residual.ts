import { type Decimal128, Double, Long } from 'bson';
import { normalizedDecimal } from '../bson/decimal.js';

/** What follows a double in a key when the number is exactly that double. */
const EXACT = Buffer.from([0x80]);
const DIGITS = 40;

/**
 * Splits a long or decimal into a double and bytes that order numbers with the same nearest double: one byte
 * for the sign of what is left over, then its decimal exponent and first digits (inverted if negative).
 */
export function residualOf(
  value: Long | Decimal128 | Double,
  nearest: number,
): { double: number; residual: Uint8Array } {
  if (value instanceof Double) return { double: nearest, residual: EXACT };
  const exact = exactDecimal(value);
  if (exact === undefined) return { double: nearest, residual: EXACT };
  const double = Number.isFinite(nearest) ? nearest : Math.sign(nearest) * Number.MAX_VALUE;
  const rounded = exactDouble(double);
  const exponent = Math.min(exact.exponent, rounded.exponent);
  const difference = scale(exact, exponent) - scale(rounded, exponent);
  return { double, residual: difference === 0n ? EXACT : encode(difference, exponent) };
}

interface Parts {
  readonly coefficient: bigint;
  readonly exponent: number;
}

function exactDecimal(value: Long | Decimal128): Parts | undefined {
  if (value instanceof Long) return { coefficient: value.toBigInt(), exponent: 0 };
  return normalizedDecimal(value);
}

function exactDouble(value: number): Parts {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  const power = (biased === 0 ? 1 : biased) - 1075;
  const signed = value < 0 ? -mantissa : mantissa;
  if (power >= 0) return { coefficient: signed << BigInt(power), exponent: 0 };
  return { coefficient: signed * 5n ** BigInt(-power), exponent: power };
}

function scale(parts: Parts, exponent: number): bigint {
  return parts.coefficient * 10n ** BigInt(parts.exponent - exponent);
}

function encode(difference: bigint, exponent: number): Uint8Array {
  const negative = difference < 0n;
  const digits = (negative ? -difference : difference).toString();
  const magnitude = exponent + digits.length + 0x4000;
  const bytes = Buffer.concat([
    Buffer.from([0xc0, magnitude >> 8, magnitude & 0xff]),
    Buffer.from(digits.slice(0, DIGITS).padEnd(DIGITS, '0')),
  ]);
  return negative ? bytes.map((byte) => 0xff - byte) : bytes;
}
