import type { KeyField } from '../storage/index-keys.js';
import type { OrderedIndex } from '../storage/ordered-index.js';
import { type Constraint, type Constraints, combined } from './constraints.js';
import type { Bounds } from './index-scan.js';
import { ALL, type Interval, inverted, isAll, isPoint } from './intervals.js';
import type { IndexPlan } from './plan.js';

/** MongoDB takes an `$in` apart into at most this many scans. */
const MAX_EXPLODED = 200;

/** The intervals of each field of an index, ascending. */
export function boundsOf(index: OrderedIndex, constraints: Constraints): Bounds {
  let arraysBounded = 0;
  return index.definition.fields.map(({ path }, i) => {
    const constraint = constraints.get(path);
    if (constraint === undefined) return ALL;
    if (!index.multikeyFields.has(i)) return combined(constraint);
    // Two fields of one array, or two bounds of one field, may be met by different elements.
    const intervals = arraysBounded === 0 ? tightest(constraint) : ALL;
    if (!isAll(intervals)) arraysBounded += 1;
    return intervals;
  });
}

/** The bound of an array field that admits least; `$expr` looks at the array as a whole and gives none. */
function tightest({ match }: Constraint): readonly Interval[] {
  const points = match.filter((intervals) => intervals.every(isPoint)).sort((a, b) => a.length - b.length);
  return points[0] ?? match[0] ?? ALL;
}

/** How an index would be scanned for a query. */
export function planIndex(
  index: OrderedIndex,
  constraints: Constraints,
  sort: readonly KeyField[],
): IndexPlan {
  const bounds = boundsOf(index, constraints);
  const order = orderServed(index, bounds, sort);
  const scans = order && order.explode > 0 ? explode(bounds, order.explode) : [bounds];
  const served = order !== undefined && scans.length <= MAX_EXPLODED;
  return {
    kind: 'index',
    index,
    forward: served ? order.forward : true,
    scans: (served ? scans : [bounds]).map((one) => inIndexOrder(index, one)),
    mergeFrom: served ? order.explode : 0,
    sorted: served,
  };
}

/** More bound fields are better, then an order that spares the sort; a unique key found is best. */
export function rating({ index, scans, sorted }: IndexPlan): number {
  const bounds = scans[0] ?? [];
  const points = bounds.findIndex((intervals) => !intervals.every(isPoint));
  const equalities = points < 0 ? bounds.length : points;
  if (equalities === bounds.length && index.definition.unique && !index.definition.partial) return 1000;
  const range = bounds[equalities];
  const later = bounds.slice(equalities + 1).filter((intervals) => !isAll(intervals)).length;
  return equalities * 10 + (range && !isAll(range) ? 5 : 0) + (sorted ? 12 : 0) + later - bounds.length / 100;
}

function inIndexOrder(index: OrderedIndex, bounds: Bounds): Bounds {
  return bounds.map((intervals, i) => (index.keys.directions[i] === -1 ? inverted(intervals) : intervals));
}

interface Order {
  readonly forward: boolean;
  /** How many leading fields must be taken apart into single values for the order to hold. */
  readonly explode: number;
}

/** Whether, and in which direction, an index gives the order of a sort. */
function orderServed(index: OrderedIndex, bounds: Bounds, sort: readonly KeyField[]): Order | undefined {
  const fields = index.definition.fields;
  let direction = 0;
  let explode = 0;
  let at = 0;
  for (const wanted of sort) {
    if (isFixed(wanted.path, fields, bounds, index)) continue;
    while (at < fields.length && fields[at]?.path !== wanted.path) {
      if (!bounds[at]?.every(isPoint) || index.multikeyFields.has(at)) return undefined;
      at += 1;
      if ((bounds[at - 1]?.length ?? 0) > 1) explode = at;
    }
    const field = fields[at];
    if (field === undefined || index.multikeyFields.has(at)) return undefined;
    const needed = field.direction * wanted.direction;
    if (direction !== 0 && direction !== needed) return undefined;
    direction = needed;
    at += 1;
  }
  return { forward: direction !== -1, explode };
}

/** A field that is bound to one value needs no order. */
function isFixed(path: string, fields: readonly KeyField[], bounds: Bounds, index: OrderedIndex): boolean {
  const i = fields.findIndex((field) => field.path === path);
  return i >= 0 && !index.multikeyFields.has(i) && bounds[i]?.length === 1 && bounds[i].every(isPoint);
}

/** One scan for each combination of values of the first fields. */
function explode(bounds: Bounds, count: number): Bounds[] {
  const size = bounds.slice(0, count).reduce((product, intervals) => product * intervals.length, 1);
  if (size > MAX_EXPLODED) return Array.from({ length: MAX_EXPLODED + 1 }, () => bounds);
  let combinations: Interval[][][] = [[]];
  for (const intervals of bounds.slice(0, count)) {
    combinations = combinations.flatMap((head) => intervals.map((one) => [...head, [one]]));
  }
  return combinations.map((head) => [...head, ...bounds.slice(count)]);
}
