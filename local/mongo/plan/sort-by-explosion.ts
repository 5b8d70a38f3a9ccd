import type { KeyField } from '../storage/index-keys.js';
import type { OrderedIndex } from '../storage/ordered-index.js';
import type { Bounds } from './index-scan.js';
import { type Interval, isPoint } from './intervals.js';
import { directionOfPrefix } from './sort-by-index.js';

/** MongoDB's `internalQueryMaxScansToExplode`. */
const MAX_SCANS = 200;

/** Scans that give the order of a sort when merged. */
export interface Exploded {
  readonly scans: readonly Bounds[];
  readonly forward: boolean;
  /** The number of leading fields that were split into their values. The fields after them order the scans. */
  readonly fields: number;
}

/**
 * Splits a scan by its leading fields that are bound to single values. Makes one scan for each combination of the values.
 * Always splits all these fields, even if fewer would be enough. Returns `undefined` if the sort is not the beginning of
 * the fields that follow, or if there would be more than 200 scans.
 */
export function explodedScans(
  index: OrderedIndex,
  bounds: Bounds,
  sort: readonly KeyField[],
): Exploded | undefined {
  const range = bounds.findIndex((intervals) => intervals.length === 0 || !intervals.every(isPoint));
  if (range < 1) return undefined;
  const forward = directionOfPrefix(sort, orderBehind(index, range));
  if (forward === undefined) return undefined;
  const leading = bounds.slice(0, range);
  const count = leading.reduce((product, intervals) => product * intervals.length, 1);
  if (count > MAX_SCANS) return undefined;
  const rest = bounds.slice(range);
  return { scans: combinations(leading).map((points) => [...points, ...rest]), forward, fields: range };
}

/** Returns the fields from this one on. Stops before the first field that holds arrays. */
function orderBehind({ definition, multikeyFields }: OrderedIndex, from: number): KeyField[] {
  const fields = definition.fields.slice(from);
  const array = fields.findIndex((_, i) => multikeyFields.has(from + i));
  return array < 0 ? fields : fields.slice(0, array);
}

function combinations(bounds: Bounds): Interval[][][] {
  let found: Interval[][][] = [[]];
  for (const intervals of bounds) {
    found = found.flatMap((head) => intervals.map((one) => [...head, [one]]));
  }
  return found;
}
