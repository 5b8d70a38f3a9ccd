import { TYPE_BYTE } from './key-string.js';

/** Returns the offset of each field in a key. The last offset is that of the record number. */
export function partOffsets(key: string, directions: readonly number[]): number[] {
  const offsets = [0];
  let at = 0;
  for (const direction of directions) {
    at = skipValue(key, at, direction === -1 ? 0xff : 0);
    offsets.push(at);
  }
  return offsets;
}

/** Reads a byte. `mask` is 0xff for a descending field, whose bytes are inverted. */
function byteAt(key: string, at: number, mask: number): number {
  return key.charCodeAt(at) ^ mask;
}

function skipValue(key: string, at: number, mask: number): number {
  return skipPayload(key, byteAt(key, at, mask), at + 1, mask);
}

function skipPayload(key: string, type: number, at: number, mask: number): number {
  switch (type) {
    case TYPE_BYTE.number:
      return at + 9 + (byteAt(key, at + 8, mask) === 0x80 ? 0 : 42);
    case TYPE_BYTE.string:
    case TYPE_BYTE.regex:
    case TYPE_BYTE.code:
      return skipText(key, at, mask);
    case TYPE_BYTE.object:
      return skipFields(key, at, mask);
    case TYPE_BYTE.array:
      return skipElements(key, at, mask);
    case TYPE_BYTE.binary:
      return at + 5 + lengthAt(key, at, mask);
    case TYPE_BYTE.objectId:
      return at + 12;
    case TYPE_BYTE.bool:
      return at + 1;
    case TYPE_BYTE.date:
    case TYPE_BYTE.timestamp:
      return at + 8;
    default:
      return at;
  }
}

/** Returns the offset after a text, which ends with a zero byte that no 0xff follows. */
function skipText(key: string, start: number, mask: number): number {
  const zero = String.fromCharCode(mask);
  let at = key.indexOf(zero, start);
  while (byteAt(key, at + 1, mask) === 0xff) at = key.indexOf(zero, at + 2);
  return at + 1;
}

function skipFields(key: string, start: number, mask: number): number {
  let at = start;
  while (byteAt(key, at, mask) !== 0) {
    const nameEnd = key.indexOf(String.fromCharCode(mask), at + 1);
    at = skipPayload(key, byteAt(key, at, mask), nameEnd + 1, mask);
  }
  return at + 1;
}

function skipElements(key: string, start: number, mask: number): number {
  let at = start;
  while (byteAt(key, at, mask) !== 0) at = skipValue(key, at, mask);
  return at + 1;
}

function lengthAt(key: string, at: number, mask: number): number {
  let length = 0;
  for (let i = 0; i < 4; i++) length = length * 256 + byteAt(key, at + i, mask);
  return length;
}
