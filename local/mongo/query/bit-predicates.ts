import { Binary } from 'bson';
import { toBigInt } from '../bson/numbers.js';
import type { Visit } from '../bson/path.js';
import { toNumber } from '../bson/to-number.js';
import { isNumeric } from '../bson/type-of.js';
import { CommandError } from '../errors.js';

/**
 * Returns `$bitsAllSet` and its three relatives.
 *
 * @param positive makes a query operator
 */
export function bitPredicates<T>(positive: (makeVisit: (operand: unknown) => Visit) => T): Record<string, T> {
  const make = (test: (bits: bigint, mask: bigint) => boolean) =>
    positive((operand) => {
      const mask = maskOf(operand);
      return (value) => {
        const bits = bitsOf(value);
        return bits !== undefined && test(bits, mask);
      };
    });
  return {
    $bitsAllSet: make((bits, mask) => (bits & mask) === mask),
    $bitsAllClear: make((bits, mask) => (bits & mask) === 0n),
    $bitsAnySet: make((bits, mask) => (bits & mask) !== 0n),
    $bitsAnyClear: make((bits, mask) => (bits & mask) !== mask),
  };
}

/** Reads a mask from a number, a binary, or an array of bit positions. */
function maskOf(operand: unknown): bigint {
  if (Array.isArray(operand)) {
    return operand.reduce<bigint>((mask, position) => mask | (1n << BigInt(toNumber(position))), 0n);
  }
  const bits = bitsOf(operand);
  if (bits === undefined || bits < 0n)
    throw new CommandError(2, 'bit mask must be a non-negative integer, BinData or an array');
  return bits;
}

function bitsOf(value: unknown): bigint | undefined {
  if (value instanceof Binary) {
    return value.buffer.reduce((bits, byte, i) => bits | (BigInt(byte) << BigInt(8 * i)), 0n);
  }
  return isNumeric(value) && Number.isInteger(toNumber(value)) ? toBigInt(value) : undefined;
}
