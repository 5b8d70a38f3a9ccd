import { Binary, BSONRegExp, BSONSymbol, Code, ObjectId, Timestamp } from 'bson';
import { compareNumbers } from './numbers.js';
import { type BsonType, isDoc, typeOf } from './type-of.js';

/** MongoDB's order of types. Values of different types compare by rank, and values of the same rank by value. */
const RANK: Readonly<Record<BsonType, number>> = {
  minKey: 0,
  missing: 1,
  undefined: 1,
  null: 2,
  int: 3,
  long: 3,
  double: 3,
  decimal: 3,
  string: 4,
  symbol: 4,
  object: 5,
  array: 6,
  binData: 7,
  objectId: 8,
  bool: 9,
  date: 10,
  timestamp: 11,
  regex: 12,
  javascript: 13,
  javascriptWithScope: 14,
  maxKey: 15,
};

/** Returns the rank of a value's type in MongoDB's order of types. */
export function rankOf(value: unknown): number {
  return RANK[typeOf(value)];
}

/** Compares two decoded values in BSON order. Returns a negative number, zero or a positive one. Missing is before null. */
export function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return compareNumbers(a, b);
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime();
  const rank = rankOf(a);
  const difference = rank - rankOf(b);
  return difference === 0 ? compareSameRank(rank, a, b) : difference;
}

/** Returns whether two values are equal in BSON order, as `1`, `Long(1)` and `Double(1)` are. */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b) === 0;
}

function compareSameRank(rank: number, a: unknown, b: unknown): number {
  switch (rank) {
    case 3:
      return compareNumbers(a, b);
    case 4:
      return compareStrings(textOf(a), textOf(b));
    case 5:
      return compareDocs(a, b);
    case 6:
      return compareArrays(a, b);
    case 7:
      return compareBinaries(a, b);
    case 8:
      return a instanceof ObjectId && b instanceof ObjectId ? Buffer.compare(a.id, b.id) : 0;
    case 9:
      return Number(a) - Number(b);
    case 10:
      return Number(a) - Number(b);
    case 11:
      return a instanceof Timestamp && b instanceof Timestamp ? a.compare(b) : 0;
    case 12:
      return compareStrings(regexKey(a), regexKey(b));
    case 13:
    case 14:
      return a instanceof Code && b instanceof Code ? compareStrings(a.code, b.code) : 0;
    default:
      return 0;
  }
}

function textOf(value: unknown): string {
  return value instanceof BSONSymbol ? value.value : String(value);
}

/** Compares strings by their UTF-8 bytes, as MongoDB does. JavaScript's order differs only for surrogates. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointOrder(x) - codePointOrder(y);
  }
  return a.length - b.length;
}

/** Puts surrogates, which stand for code points above U+FFFF, after all other code units. */
function codePointOrder(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function compareDocs(a: unknown, b: unknown): number {
  if (!isDoc(a) || !isDoc(b)) return 0;
  const left = Object.entries(a).filter(([, value]) => value !== undefined);
  const right = Object.entries(b).filter(([, value]) => value !== undefined);
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const [leftName = '', leftValue] = left[i] ?? [];
    const [rightName = '', rightValue] = right[i] ?? [];
    const order =
      rankOf(leftValue) - rankOf(rightValue) ||
      compareStrings(leftName, rightName) ||
      compare(leftValue, rightValue);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareArrays(a: unknown, b: unknown): number {
  if (!Array.isArray(a) || !Array.isArray(b)) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compare(a[i] ?? null, b[i] ?? null);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareBinaries(a: unknown, b: unknown): number {
  const left = binaryParts(a);
  const right = binaryParts(b);
  return (
    left.bytes.length - right.bytes.length ||
    left.subtype - right.subtype ||
    Buffer.compare(left.bytes, right.bytes)
  );
}

/** Returns the bytes and the subtype of a binary value. */
export function binaryParts(value: unknown): { bytes: Uint8Array; subtype: number } {
  if (value instanceof Uint8Array) return { bytes: value, subtype: 0 };
  if (!(value instanceof Binary)) return { bytes: Buffer.alloc(0), subtype: 0 };
  return { bytes: value.buffer.subarray(0, value.position), subtype: value.sub_type };
}

/** Returns a regular expression as one string for comparison: the pattern, then the options. */
export function regexKey(value: unknown): string {
  if (value instanceof BSONRegExp) return `${value.pattern}\0${value.options}`;
  return value instanceof RegExp ? `${value.source}\0${value.flags}` : '';
}
