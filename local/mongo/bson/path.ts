import { isDoc } from './type-of.js';

/** The own field of a document or the element of an array; `undefined` is missing. */
export function fieldOf(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return isIndex(name) ? value[Number(name)] : undefined;
  return isDoc(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Whether a path component may name an array element. */
export function isIndex(part: string): boolean {
  return /^(0|[1-9]\d*)$/.test(part);
}

/** The value at a dotted path, arrays entered by index only. */
export function valueAt(value: unknown, path: string): unknown {
  let current = value;
  for (const part of path.split('.')) current = fieldOf(current, part);
  return current;
}

/** Called with each value found; `true` ends the search. A missing field is visited as `undefined`. */
export type Visit = (value: unknown) => boolean;

/** Where in the outermost array on its path the last successful search matched: what `$` stands for. */
export const matchedPositions = new Map<string, number>();

/** Forgets them, before the next document is tested. Clearing an empty map is not free. */
export function forgetPositions(): void {
  if (matchedPositions.size > 0) matchedPositions.clear();
}

/**
 * Visits the values a query path leads to, entering arrays as MongoDB does: an array on the way stands for
 * each document in it, or by a numeric component for one element; at the end of the path (`leaf: 'each'`) it
 * stands for each element and, last, for itself.
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
    // An element named by its index at the end of the path stands for itself, also if it is an array.
    const atEnd = at + 1 === path.length;
    if (atEnd ? visit(array[index]) : search(array[index], path, at + 1, leaf, visit)) return true;
  }
  const found = array.findIndex((element) => isDoc(element) && search(element, path, at, leaf, visit));
  if (found < 0) return false;
  matchedPositions.set(path.slice(0, at).join('.'), found);
  return true;
}
