import { Code, type Decimal128, Double, Long, ObjectId, Timestamp } from 'bson';
import { binaryParts, regexKey } from '../bson/compare.js';
import { toNumber } from '../bson/to-number.js';
import { type BsonType, isDoc, typeOf } from '../bson/type-of.js';
import { residualOf } from './number-residual.js';

/**
 * Index keys as strings of bytes (each char code 0 to 255) that compare as their values do in BSON order.
 *
 * A string of one-byte chars costs 16 bytes more than its length, and compares as fast as memcmp. A million entries in
 * each of five indexes take several hundred megabytes. Every value is a type byte and a payload that marks its own end.
 * A descending field has all its bits inverted. A key ends with the record's number.
 */
export const TYPE_BYTE = {
  minKey: 0x05,
  emptyArray: 0x0a,
  null: 0x14,
  number: 0x1e,
  string: 0x3c,
  object: 0x46,
  array: 0x50,
  binary: 0x5a,
  objectId: 0x64,
  bool: 0x6e,
  date: 0x78,
  timestamp: 0x82,
  regex: 0x8c,
  code: 0x96,
  maxKey: 0xf0,
} as const;

/** Stands for an empty array in an index, where it sorts before null. */
export const EMPTY_ARRAY = Symbol('empty array');

let scratch = Buffer.allocUnsafe(4096);
let length = 0;

/**
 * Returns the key string of the values, one per index field. `directions` has -1 for each descending field.
 *
 * @param record the record's number. If given, the key ends with it
 */
export function keyString(
  values: readonly unknown[],
  directions: readonly number[],
  record?: number,
): string {
  length = 0;
  for (let i = 0; i < values.length; i++) {
    const start = length;
    writeValue(values[i]);
    if (directions[i] === -1) invert(start);
  }
  if (record !== undefined) writeRecord(record);
  return scratch.toString('latin1', 0, length);
}

/** Gives every record number the first byte 1. A first byte 00 or FF after the end of a text would look like an escape. */
const FIRST_RECORD = 2 ** 40;

/** Writes the six bytes that end every key of a record, so that equal values are in the order of insertion. */
function writeRecord(id: number): void {
  reserve(6);
  length = scratch.writeUIntBE(FIRST_RECORD + id, length, 6);
}

/** Returns the record number at the end of an index key. */
export function recordOf(key: string): number {
  let id = 0;
  for (let i = key.length - 6; i < key.length; i++) id = id * 256 + key.charCodeAt(i);
  return id - FIRST_RECORD;
}

/** Compares key strings. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function reserve(bytes: number): void {
  if (length + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafe(Math.max(scratch.length * 2, length + bytes));
  scratch.copy(larger, 0, 0, length);
  scratch = larger;
}

function invert(from: number): void {
  for (let i = from; i < length; i++) scratch[i] = 0xff - (scratch[i] ?? 0);
}

function writeByte(value: number): void {
  reserve(1);
  scratch[length++] = value;
}

function writeBytes(bytes: Uint8Array): void {
  reserve(bytes.length);
  scratch.set(bytes, length);
  length += bytes.length;
}

function writeValue(value: unknown): void {
  if (value === EMPTY_ARRAY) writeByte(TYPE_BYTE.emptyArray);
  else WRITERS[typeOf(value)](value);
}

const writeNull = () => writeByte(TYPE_BYTE.null);
const writeString = (value: unknown) => writeText(TYPE_BYTE.string, String(value));
const writeCode = (value: unknown) => writeText(TYPE_BYTE.code, value instanceof Code ? value.code : '');

const WRITERS: Readonly<Record<BsonType, (value: unknown) => void>> = {
  minKey: () => writeByte(TYPE_BYTE.minKey),
  maxKey: () => writeByte(TYPE_BYTE.maxKey),
  missing: writeNull,
  undefined: writeNull,
  null: writeNull,
  int: writeNumber,
  double: writeNumber,
  long: writeNumber,
  decimal: writeNumber,
  string: writeString,
  symbol: writeString,
  object: writeObject,
  array: writeArray,
  binData: writeBinary,
  objectId: writeObjectId,
  bool: (value) => {
    writeByte(TYPE_BYTE.bool);
    writeByte(value === true ? 1 : 0);
  },
  date: (value) => {
    writeByte(TYPE_BYTE.date);
    writeDouble(Number(value));
  },
  timestamp: writeTimestamp,
  regex: (value) => writeText(TYPE_BYTE.regex, regexKey(value)),
  javascript: writeCode,
  javascriptWithScope: writeCode,
};

function writeObjectId(value: unknown): void {
  writeByte(TYPE_BYTE.objectId);
  if (value instanceof ObjectId) writeBytes(value.id);
}

/** Writes a text. A zero byte in the text becomes 00 FF, and a lone 00 ends it. */
function writeText(type: number, text: string): void {
  writeByte(type);
  reserve(text.length * 3);
  const start = length;
  if (!writePlain(text)) {
    length = start + scratch.write(text, start);
    if (text.includes('\0')) escapeZeros(start);
  }
  writeByte(0);
}

/** The longest text that is written faster byte by byte than by a call to Buffer. */
const SHORT_TEXT = 64;

/**
 * Writes a short ASCII text without zeros, as nearly all texts are. Returns false for any other text, but may have written
 * a part of it.
 */
function writePlain(text: string): boolean {
  if (text.length > SHORT_TEXT) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code > 0x7f) return false;
    scratch[length++] = code;
  }
  return true;
}

function escapeZeros(start: number): void {
  const plain = Buffer.from(scratch.subarray(start, length));
  length = start;
  for (const byte of plain) {
    writeByte(byte);
    if (byte === 0) writeByte(0xff);
  }
}

function writeObject(value: unknown): void {
  writeByte(TYPE_BYTE.object);
  if (isDoc(value)) {
    for (const [name, field] of Object.entries(value)) {
      if (field !== undefined) writeNamed(name, field);
    }
  }
  writeByte(0);
}

/** Writes a field of a document. Documents compare field by field: by type, then by name, then by value. */
function writeNamed(name: string, value: unknown): void {
  const start = length;
  writeValue(value);
  const typed = Buffer.from(scratch.subarray(start, length));
  length = start;
  writeByte(typed[0] ?? 0);
  writeBytes(Buffer.from(name));
  writeByte(0);
  writeBytes(typed.subarray(1));
}

function writeArray(value: unknown): void {
  writeByte(TYPE_BYTE.array);
  for (const element of Array.isArray(value) ? value : []) writeValue(element);
  writeByte(0);
}

function writeBinary(value: unknown): void {
  const { bytes, subtype } = binaryParts(value);
  writeByte(TYPE_BYTE.binary);
  reserve(4);
  length = scratch.writeUInt32BE(bytes.length, length);
  writeByte(subtype);
  writeBytes(bytes);
}

function writeTimestamp(value: unknown): void {
  writeByte(TYPE_BYTE.timestamp);
  reserve(8);
  if (value instanceof Timestamp) {
    scratch.writeUInt32BE(value.t, length);
    scratch.writeUInt32BE(value.i, length + 4);
  }
  length += 8;
}

/** Flips a double's bits so that unsigned byte order is numeric order. NaN comes first. */
function writeDouble(value: number): void {
  reserve(8);
  if (Number.isNaN(value)) scratch.fill(0, length, length + 8);
  else {
    scratch.writeDoubleBE(value === 0 ? 0 : value, length);
    if (value < 0) invertRange(length, length + 8);
    else scratch[length] = (scratch[length] ?? 0) | 0x80;
  }
  length += 8;
}

function invertRange(from: number, to: number): void {
  for (let i = from; i < to; i++) scratch[i] = 0xff - (scratch[i] ?? 0);
}

/** Writes the nearest double, then the distance from it to the exact value of a long or a decimal. */
function writeNumber(value: unknown): void {
  writeByte(TYPE_BYTE.number);
  const nearest = toNumber(value);
  const exact =
    typeof value === 'number' ||
    value instanceof Double ||
    (value instanceof Long && Number.isSafeInteger(nearest));
  if (exact || Number.isNaN(nearest)) {
    writeDouble(nearest);
    writeByte(0x80);
    return;
  }
  const { double, residual } = residualOf(value as Long | Decimal128, nearest);
  writeDouble(double);
  writeBytes(residual);
}
