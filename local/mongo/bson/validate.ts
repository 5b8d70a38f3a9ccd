import { CommandError } from '../errors.js';
import { FIXED_SIZE } from './value-sizes.js';

/** MongoDB's limit on nested documents. */
const MAX_DEPTH = 200;

/** The size of an empty document: four bytes of size and a zero byte. */
const MIN_SIZE = 5;

/**
 * Checks that a valid BSON document begins at `start` and ends before `limit`. Every size must fit into its container, and
 * every text must end inside. Call this before the decoder, which checks nothing. Returns the offset after the document.
 *
 * @throws CommandError 22 (InvalidBSON) for an invalid document, 15 (Overflow) for more than 200 nested documents
 */
export function validateDocument(bytes: Buffer, start: number, limit: number, depth = 0): number {
  if (depth > MAX_DEPTH)
    throw new CommandError(15, `BSONObj exceeds maximum nested object depth: ${MAX_DEPTH}`);
  const size = sizeAt(bytes, start, limit);
  if (size < MIN_SIZE || size > limit - start) throw invalid(`a document states a size of ${size}`);
  const end = start + size - 1;
  if (bytes[end] !== 0) throw invalid('a document does not end with a zero byte');
  let at = start + 4;
  while (at < end) at = validateElement(bytes, at, end, depth);
  return end + 1;
}

function validateElement(bytes: Buffer, at: number, end: number, depth: number): number {
  const type = bytes[at];
  const value = afterText(bytes, at + 1, end);
  const next = afterValue(type ?? 0, bytes, value, end, depth);
  if (next > end) throw invalid('a value does not fit into its document');
  return next;
}

function afterValue(type: number, bytes: Buffer, at: number, end: number, depth: number): number {
  switch (type) {
    case 0x02:
    case 0x0d:
    case 0x0e:
      return afterString(bytes, at, end);
    case 0x03:
    case 0x04:
      return validateDocument(bytes, at, end, depth + 1);
    case 0x05:
      return afterBinary(bytes, at, end);
    case 0x08:
      if (at < end && (bytes[at] ?? 0) > 1) throw invalid('a boolean is neither 0 nor 1');
      return at + 1;
    case 0x0b:
      return afterText(bytes, afterText(bytes, at, end), end);
    case 0x0f:
      return afterCode(bytes, at, end, depth);
    default: {
      const size = FIXED_SIZE.get(type);
      if (size === undefined) throw invalid(`unrecognized BSON type ${type}`);
      return at + size;
    }
  }
}

/** Returns the offset after a zero-terminated string. */
export function afterText(bytes: Buffer, at: number, end: number): number {
  const zero = bytes.indexOf(0, at);
  if (zero < 0 || zero >= end) throw invalid('a name does not end inside its document');
  return zero + 1;
}

/** Returns the offset after a text with a stated size, which includes the zero byte. */
function afterString(bytes: Buffer, at: number, end: number): number {
  const size = sizeAt(bytes, at, end);
  const next = at + 4 + size;
  if (size < 1 || next > end || bytes[next - 1] !== 0) throw invalid(`a string states a size of ${size}`);
  return next;
}

/** Returns the offset after binary data. The obsolete subtype 2 repeats its size. */
function afterBinary(bytes: Buffer, at: number, end: number): number {
  const size = sizeAt(bytes, at, end);
  const isOld = bytes[at + 4] === 2;
  const fits = size >= (isOld ? 4 : 0) && at + 5 + size <= end;
  if (!fits || (isOld && bytes.readInt32LE(at + 5) !== size - 4))
    throw invalid(`binary data state a size of ${size}`);
  return at + 5 + size;
}

function afterCode(bytes: Buffer, at: number, end: number, depth: number): number {
  const size = sizeAt(bytes, at, end);
  if (size < 4 || at + size > end) throw invalid(`code states a size of ${size}`);
  const next = validateDocument(bytes, afterString(bytes, at + 4, at + size), at + size, depth + 1);
  if (next !== at + size) throw invalid('code and its scope are not of the size stated');
  return next;
}

/** Reads the four bytes of a size. */
export function sizeAt(bytes: Buffer, at: number, end: number): number {
  if (at + 4 > end) throw invalid('a size is cut off');
  return bytes.readInt32LE(at);
}

/** Returns the error for invalid BSON. */
export function invalid(reason: string): CommandError {
  return new CommandError(22, `Invalid BSON: ${reason}`);
}
