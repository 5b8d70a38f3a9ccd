import type { KeyField } from '../storage/index-keys.js';
import type { OrderedIndex } from '../storage/ordered-index.js';
import { type Constraint, type Constraints, combined } from './constraints.js';
import type { Bounds } from './index-scan.js';
import { ALL, type Interval, inverted, isAll, isPoint } from './intervals.js';
import type { IndexPlan } from './plan.js';
import { explodedScans } from './sort-by-explosion.js';
import { servesSort } from './sort-by-index.js';

/** Returns whether an index is relevant to a filter: whether the filter has a predicate for the first key. */
export function isRelevant({ definition }: OrderedIndex, constraints: Constraints): boolean {
  const [first] = definition.fields;
  return first !== undefined && constraints.has(first.path);
}

/**
 * Plans the scan of an index for a query. An irrelevant index is scanned whole, even if the filter restricts later
 * keys.
 */
export function planIndex(
  index: OrderedIndex,
  constraints: Constraints,
  sort: readonly KeyField[],
): IndexPlan {
  const bounds = isRelevant(index, constraints) ? boundsOf(index, constraints) : wholeOf(index);
  const forward = servesSort(index, bounds, sort);
  if (forward !== undefined) return scanOf(index, [bounds], forward, 0, true);
  const exploded = explodedScans(index, bounds, sort);
  if (exploded !== undefined) return scanOf(index, exploded.scans, exploded.forward, exploded.fields, true);
  return scanOf(index, [bounds], true, 0, false);
}

function scanOf(
  index: OrderedIndex,
  scans: readonly Bounds[],
  forward: boolean,
  mergeFrom: number,
  sorted: boolean,
): IndexPlan {
  return {
    kind: 'index',
    index,
    forward,
    scans: scans.map((one) => inIndexOrder(index, one)),
    mergeFrom,
    sorted,
  };
}

function wholeOf(index: OrderedIndex): Bounds {
  return index.definition.fields.map(() => ALL);
}

/** Returns the intervals of each field of an index, ascending. */
function boundsOf(index: OrderedIndex, constraints: Constraints): Bounds {
  let arraysBounded = 0;
  return index.definition.fields.map(({ path }, i) => {
    const constraint = constraints.get(path);
    if (constraint === undefined) return ALL;
    if (!index.multikeyFields.has(i)) return combined(constraint);
    // Different elements may meet the bounds of two fields of one array, or two bounds of one field.
    const intervals = arraysBounded === 0 ? tightest(constraint) : ALL;
    if (!isAll(intervals)) arraysBounded += 1;
    return intervals;
  });
}

/** Returns the tightest bound of an array field. `$expr` gives none, because it compares the array as a whole. */
function tightest({ match }: Constraint): readonly Interval[] {
  const points = match.filter((intervals) => intervals.every(isPoint)).sort((a, b) => a.length - b.length);
  return points[0] ?? match[0] ?? ALL;
}

function inIndexOrder(index: OrderedIndex, bounds: Bounds): Bounds {
  return bounds.map((intervals, i) => (index.keys.directions[i] === -1 ? inverted(intervals) : intervals));
}
