import { partOffsets } from '../storage/key-parts.js';
import type { IndexCursor } from '../storage/view.js';
import type { Counters } from './counters.js';
import { AFTER, type Interval, isAll, isPoint } from './intervals.js';

/** Bounds of each field of an index, in the order of the index's bytes. */
export type Bounds = readonly (readonly Interval[])[];

/**
 * The keys of an index within bounds. Where a field's value is outside its intervals, the scan does not walk
 * on but seeks the next key that may be inside: jobs that are not due yet cost one key per priority. For such a key it gives
 * `undefined`.
 *
 * @param range the first and the last key, where no bounds of single fields say them
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
  // The cursor stops at the end of a single interval by itself; of several, the scan sees it by the key behind.
  if (key !== undefined && !contiguous) counters.keys += 1;
}

/** The cuts before the first and behind the last key that may be inside. */
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

/** Whether all keys between the outer ends are inside: points, then one interval, then anything. */
export function isContiguous(bounds: Bounds): boolean {
  const range = bounds.findIndex(
    ([first, ...others]) => first === undefined || others.length > 0 || !isPoint(first),
  );
  if (range < 0) return true;
  return bounds[range]?.length === 1 && bounds.slice(range + 1).every(isAll);
}

/** Where to go on from a key that is outside; `undefined` if it is inside. */
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

/** The last interval that begins at or before the part; -1 if none does. */
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
