import { Decimal128, Long } from 'bson';
import { toNumber } from './to-number.js';

/** A finite number, exactly `coefficient * 10 ** exponent`. */
export interface Exact {
  readonly coefficient: bigint;
  readonly exponent: number;
}

/** Returns the exact value of a number of any type. `undefined` for NaN and the infinities. */
export function exactOf(value: unknown): Exact | undefined {
  if (value instanceof Decimal128) return exactDecimal(value);
  if (value instanceof Long) return { coefficient: value.toBigInt(), exponent: 0 };
  const number = toNumber(value);
  return Number.isFinite(number) ? exactDouble(number) : undefined;
}

/** Compares two numbers. Returns a negative number if `a` is less than `b`, zero if they are equal, or a positive one. */
export function compareExact(a: Exact, b: Exact): number {
  const { coefficient } = subtractExact(a, b);
  return coefficient < 0n ? -1 : Number(coefficient > 0n);
}

/** Returns the exact difference. */
export function subtractExact(a: Exact, b: Exact): Exact {
  const exponent = Math.min(a.exponent, b.exponent);
  return { coefficient: scaled(a, exponent) - scaled(b, exponent), exponent };
}

/** Returns the coefficient of the same number with a smaller exponent. */
export function scaled({ coefficient, exponent }: Exact, to: number): bigint {
  return coefficient * 10n ** BigInt(exponent - to);
}

function exactDecimal(value: Decimal128): Exact | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]?\d+))?$/.exec(value.toString());
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const magnitude = BigInt(whole + fraction);
  return { coefficient: sign === '-' ? -magnitude : magnitude, exponent: Number(exponent) - fraction.length };
}

/** Converts a double. A double is an integer times a power of two, and so has a finite decimal form. */
function exactDouble(value: number): Exact {
  if (Number.isInteger(value)) return { coefficient: BigInt(value), exponent: 0 };
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  const power = (biased === 0 ? 1 : biased) - 1075;
  return { coefficient: (value < 0 ? -mantissa : mantissa) * 5n ** BigInt(-power), exponent: power };
}
