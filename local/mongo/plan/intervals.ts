import { compareBytes, keyString, TYPE_BYTE } from '../storage/key-string.js';

/**
 * A range of encoded values between two cuts. A cut is a string: `p` lies before everything that begins with `p`, and
 * `p + AFTER` lies after it. A value is inside if `from <= value < to` as strings.
 */
export interface Interval {
  readonly from: string;
  readonly to: string;
}

/** Sorts after every byte, so that `p + AFTER` is the cut after everything that begins with `p`. */
export const AFTER = '\uffff';

/** The interval of every value. */
export const ALL: readonly Interval[] = [{ from: '', to: AFTER }];

/** Returns the interval of one value. */
export function point(value: unknown): Interval {
  const key = keyString([value], [1]);
  return { from: key, to: key + AFTER };
}

/** Returns the interval of all values whose encoding has this prefix. */
export function startingWith(prefix: string): Interval {
  return { from: prefix, to: prefix + AFTER };
}

/** Returns the interval of all values of the value's type. */
export function sameType(value: unknown): Interval {
  return startingWith(keyString([value], [1]).charAt(0));
}

/** Type bytes of types with a single value, also in their inverted form for descending fields. */
const ONLY_VALUE_OF_ITS_TYPE: ReadonlySet<string> = new Set(
  [TYPE_BYTE.minKey, TYPE_BYTE.emptyArray, TYPE_BYTE.null, TYPE_BYTE.maxKey].flatMap((byte) => [
    String.fromCharCode(byte),
    String.fromCharCode(0xff - byte),
  ]),
);

/** Returns whether the interval holds a single value. The interval of a whole type does if the type has only one value. */
export function isPoint({ from, to }: Interval): boolean {
  return to === from + AFTER && (from.length > 1 || ONLY_VALUE_OF_ITS_TYPE.has(from));
}

/** Returns whether the intervals hold a single value. */
export function isSinglePoint(intervals: readonly Interval[]): boolean {
  const [only] = intervals;
  return intervals.length === 1 && only !== undefined && isPoint(only);
}

/** Returns whether null is inside. Null also stands for missing. */
export function includesNull(intervals: readonly Interval[]): boolean {
  const null_ = String.fromCharCode(TYPE_BYTE.null);
  return intervals.some(({ from, to }) => from <= null_ && null_ < to);
}

export function isAll(intervals: readonly Interval[]): boolean {
  const [only] = intervals;
  return intervals.length === 1 && only?.from === '' && only.to === AFTER;
}

/** Returns the union, sorted and without overlaps. */
export function union(intervals: readonly Interval[]): readonly Interval[] {
  const sorted = [...intervals].sort((a, b) => compareBytes(a.from, b.from));
  const merged: Interval[] = [];
  for (const interval of sorted) {
    const last = merged.at(-1);
    if (last === undefined || interval.from > last.to) merged.push(interval);
    else if (interval.to > last.to) merged[merged.length - 1] = { from: last.from, to: interval.to };
  }
  return merged;
}

/** Returns the intersection. `a` and `b` must be sorted and without overlaps. */
export function intersect(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  const common = a.flatMap((x) => b.map((y) => ({ from: later(x.from, y.from), to: earlier(x.to, y.to) })));
  return common.filter(({ from, to }) => from < to);
}

function earlier(a: string, b: string): string {
  return compareBytes(a, b) < 0 ? a : b;
}

function later(a: string, b: string): string {
  return compareBytes(a, b) < 0 ? b : a;
}

/** Returns whether everything in `a` is also in `b`. */
export function isSubset(a: readonly Interval[], b: readonly Interval[]): boolean {
  return a.every((x) => b.some((y) => y.from <= x.from && x.to <= y.to));
}

/** Returns the same intervals in the order of a descending field, whose bytes are inverted. */
export function inverted(intervals: readonly Interval[]): readonly Interval[] {
  return intervals.map(({ from, to }) => ({ from: invertCut(to), to: invertCut(from) })).reverse();
}

function invertCut(cut: string): string {
  const after = cut.endsWith(AFTER);
  let result = '';
  for (let i = 0; i < cut.length - Number(after); i++)
    result += String.fromCharCode(0xff - cut.charCodeAt(i));
  return after ? result : result + AFTER;
}
