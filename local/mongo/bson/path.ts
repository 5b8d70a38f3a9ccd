import { isDoc } from './type-of.js';

/** Returns the own field of a document or the element of an array. `undefined` if missing. */
export function fieldOf(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return isIndex(name) ? value[Number(name)] : undefined;
  return isDoc(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Returns whether a path component may name an array element. */
export function isIndex(part: string): boolean {
  return /^(0|[1-9]\d*)$/.test(part);
}

/** Returns the value at a dotted path. Enters arrays by index only. */
export function valueAt(value: unknown, path: string): unknown {
  let current = value;
  for (const part of path.split('.')) current = fieldOf(current, part);
  return current;
}

/** A function that gets each value found, and returns `true` to end the search. A missing field is `undefined`. */
export type Visit = (value: unknown) => boolean;

/** The values of `$`, by path. Each is the index at which the last successful search matched in the outermost array. */
export const matchedPositions = new Map<string, number>();

/** Forgets the positions before the next document is tested. Clearing an empty map is not free. */
export function forgetPositions(): void {
  if (matchedPositions.size > 0) matchedPositions.clear();
}

/**
 * Visits the values that a query path leads to, and enters arrays as MongoDB does. On the way, an array stands for each
 * document in it. If the path component is numeric, it also stands for the element with that index. At the end of the
 * path, with `leaf: 'each'`, an array stands first for each element and then for itself.
 */
export function anyValueAt(
  root: unknown,
  path: readonly string[],
  leaf: 'each' | 'whole',
  visit: Visit,
): boolean {
  return search(root, path, 0, leaf, visit);
}

function search(
  value: unknown,
  path: readonly string[],
  at: number,
  leaf: 'each' | 'whole',
  visit: Visit,
): boolean {
  const part = path[at];
  if (part === undefined) return visitLeaf(value, path, leaf, visit);
  if (Array.isArray(value)) return searchArray(value, path, at, part, leaf, visit);
  if (!isDoc(value)) return visit(undefined);
  const next = Object.hasOwn(value, part) ? value[part] : undefined;
  return next === undefined ? visit(undefined) : search(next, path, at + 1, leaf, visit);
}

function visitLeaf(value: unknown, path: readonly string[], leaf: 'each' | 'whole', visit: Visit): boolean {
  if (leaf === 'each' && Array.isArray(value)) {
    const found = value.findIndex((element) => visit(element ?? null));
    if (found >= 0) {
      matchedPositions.set(path.join('.'), found);
      return true;
    }
  }
  return visit(value);
}

function searchArray(
  array: readonly unknown[],
  path: readonly string[],
  at: number,
  part: string,
  leaf: 'each' | 'whole',
  visit: Visit,
): boolean {
  const index = isIndex(part) ? Number(part) : -1;
  if (index >= 0 && index < array.length) {
    // An element that the last component names by its index stands for itself, even if it is an array.
    const atEnd = at + 1 === path.length;
    if (atEnd ? visit(array[index]) : search(array[index], path, at + 1, leaf, visit)) return true;
  }
  const found = array.findIndex((element) => isDoc(element) && search(element, path, at, leaf, visit));
  if (found < 0) return false;
  matchedPositions.set(path.slice(0, at).join('.'), found);
  return true;
}
