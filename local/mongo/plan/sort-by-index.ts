import type { KeyField } from '../storage/index-keys.js';
import type { OrderedIndex } from '../storage/ordered-index.js';
import type { Bounds } from './index-scan.js';
import { isAll, isSinglePoint } from './intervals.js';

/**
 * Returns the direction in which one scan within bounds gives the order of a sort: `true` for forward, `false` for
 * backward. Returns `undefined` if neither does. The order of a field that is bound to one value does not matter.
 */
export function servesSort(
  index: OrderedIndex,
  bounds: Bounds,
  sort: readonly KeyField[],
): boolean | undefined {
  const { fields } = index.definition;
  const isFixed = (i: number) => isSinglePoint(bounds[i] ?? []);
  const fixed = new Set(fields.flatMap(({ path }, i) => (isFixed(i) && !isArray(index, i) ? [path] : [])));
  const wanted = sort.filter(({ path }) => !fixed.has(path));
  return directionOfPrefix(wanted, orderedFields(index, bounds, isFixed));
}

/**
 * Returns the fields that order a scan. Stops at the first field that holds arrays, because an array's keys are its
 * elements.
 */
function orderedFields(index: OrderedIndex, bounds: Bounds, isFixed: (i: number) => boolean): KeyField[] {
  const ordered: KeyField[] = [];
  for (const [i, field] of index.definition.fields.entries()) {
    if (isFixed(i)) continue;
    if (isArray(index, i) && !isWhole(index, bounds, i)) break;
    ordered.push(field);
  }
  return ordered;
}

/**
 * Returns whether the bounds include all elements of an array. An array sorts by its least element, and only a whole scan
 * certainly meets that element first.
 */
function isWhole(index: OrderedIndex, bounds: Bounds, i: number): boolean {
  const { fields } = index.definition;
  const [root] = (fields[i]?.path ?? '').split('.');
  return fields.every(
    ({ path }, j) => isAll(bounds[j] ?? []) || !isArray(index, j) || path.split('.')[0] !== root,
  );
}

function isArray(index: OrderedIndex, i: number): boolean {
  return index.multikeyFields.has(i);
}

/** Returns whether a sort is the beginning of an order: `true` for the order itself, `false` for its reverse. */
export function directionOfPrefix(
  sort: readonly KeyField[],
  order: readonly KeyField[],
): boolean | undefined {
  const isPrefix = (turned: 1 | -1) =>
    sort.every(({ path, direction }, i) => {
      const field = order[i];
      return field?.path === path && field.direction * turned === direction;
    });
  if (isPrefix(1)) return true;
  return isPrefix(-1) ? false : undefined;
}
