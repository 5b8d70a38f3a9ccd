import { partOffsets } from '../storage/key-parts.js';
import type { IndexCursor } from '../storage/view.js';
import type { Counters } from './counters.js';
import { AFTER, type Interval, isAll, isPoint } from './intervals.js';

/** The bounds of each field of an index, in the order of the index's bytes. */
export type Bounds = readonly (readonly Interval[])[];

/**
 * Yields the keys of an index within bounds. For a key out of bounds, yields `undefined`, and seeks the next key that may
 * be within them. Therefore jobs that are not due yet cost one key per priority.
 *
 * @param range the first and the last key, if bounds of single fields cannot express them
 */
export function* scanIndex(
  cursor: IndexCursor,
  bounds: Bounds,
  directions: readonly number[],
  forward: boolean,
  counters: Counters,
  range?: Interval,
): Generator<string | undefined> {
  const ends = range ?? outerEnds(bounds);
  const contiguous = isContiguous(bounds);
  const inside = (key: string) => (forward ? key < ends.to : key >= ends.from);
  let key = cursor.seek(forward ? ends.from : ends.to);
  while (key !== undefined && inside(key)) {
    counters.keys += 1;
    const target = contiguous ? undefined : seekTarget(key, bounds, directions, forward);
    if (target !== undefined) {
      yield undefined;
      key = cursor.seek(target);
      continue;
    }
    yield key;
    key = cursor.next();
  }
  // The cursor itself stops at the end of a single interval. With several, the scan reads the key after the end.
  if (key !== undefined && !contiguous) counters.keys += 1;
}

/** Returns the cuts before the first and after the last key that may be inside. */
function outerEnds(bounds: Bounds): Interval {
  let prefix = '';
  for (const intervals of bounds) {
    const [first] = intervals;
    const last = intervals.at(-1);
    if (first === undefined || last === undefined) return { from: prefix, to: prefix };
    if (intervals.length > 1 || !isPoint(first)) return { from: prefix + first.from, to: prefix + last.to };
    prefix += first.from;
  }
  return { from: prefix, to: prefix + AFTER };
}

/**
 * Returns whether all keys between the outer ends are within the bounds. They are if the first fields are bound to points,
 * the next field to one interval, and the rest to nothing.
 */
export function isContiguous(bounds: Bounds): boolean {
  const range = bounds.findIndex(
    ([first, ...others]) => first === undefined || others.length > 0 || !isPoint(first),
  );
  if (range < 0) return true;
  return bounds[range]?.length === 1 && bounds.slice(range + 1).every(isAll);
}

/** Returns where to seek next if the key is out of bounds, or `undefined` if it is inside. */
function seekTarget(
  key: string,
  bounds: Bounds,
  directions: readonly number[],
  forward: boolean,
): string | undefined {
  const offsets = partOffsets(key, directions);
  for (const [i, intervals] of bounds.entries()) {
    const start = offsets[i] ?? 0;
    const part = key.slice(start, offsets[i + 1]);
    const at = locate(part, intervals);
    const below = intervals[at];
    if (below !== undefined && part < below.to) continue;
    const prefix = key.slice(0, start);
    return prefix + (forward ? (intervals[at + 1]?.from ?? AFTER) : (below?.to ?? ''));
  }
  return undefined;
}

/** Returns the index of the last interval that begins at or before the part, or -1 if none does. */
function locate(part: string, intervals: readonly Interval[]): number {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((intervals[middle]?.from ?? '') <= part) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
