import { type Doc, setField } from '../bson/decode.js';
import { fieldOf, isIndex } from '../bson/path.js';
import { shellText } from '../bson/shell-text.js';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';

/** The result of a change that leaves the field as it is. */
export const KEEP = Symbol('keep');

/** Computes a field's new value from its present one. `undefined` is a missing field. */
export type Change = (current: unknown) => unknown;

/** The largest number of array elements that MongoDB fills with nulls. */
const MAX_BACKFILL = 1_500_000;

/**
 * Changes one field in place, and makes the documents on the way to it. Throws 28 if a value on the way cannot hold the
 * field.
 */
export function modify(root: Doc, path: readonly string[], change: Change): void {
  let container: unknown = root;
  let depth = 0;
  for (; depth < path.length - 1; depth++) {
    const next = fieldOf(container, path[depth] ?? '');
    if (next === undefined) break;
    container = next;
    requireContainer(container, path, depth + 1);
  }
  const leaf = depth === path.length - 1;
  requireContainer(container, path, depth);
  const value = change(leaf ? fieldOf(container, path[depth] ?? '') : undefined);
  if (value === KEEP) return;
  assign(container, path[depth] ?? '', leaf ? value : nest(path.slice(depth + 1), value));
}

/** Removes a field. An array element becomes null instead. */
export function remove(root: Doc, path: readonly string[]): void {
  const name = path.at(-1) ?? '';
  let container: unknown = root;
  for (const part of path.slice(0, -1)) container = fieldOf(container, part);
  if (fieldOf(container, name) === undefined) return;
  if (Array.isArray(container)) container[Number(name)] = null;
  else if (isDoc(container)) delete container[name];
}

function requireContainer(value: unknown, path: readonly string[], depth: number): void {
  const part = path[depth] ?? '';
  if (Array.isArray(value) ? isIndex(part) : isDoc(value)) return;
  const holder = path[depth - 1] ?? '';
  throw new CommandError(28, `Cannot create field '${part}' in element {${holder}: ${shellText(value)}}`);
}

function nest(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, part) => {
    const outer: Doc = {};
    setField(outer, part, inner);
    return outer;
  }, value);
}

function assign(container: unknown, name: string, value: unknown): void {
  if (!Array.isArray(container)) {
    if (isDoc(container)) setField(container, name, value);
    return;
  }
  const index = Number(name);
  if (index - container.length > MAX_BACKFILL) {
    throw new CommandError(2, `can't backfill array to larger than ${MAX_BACKFILL} elements`);
  }
  while (container.length < index) container.push(null);
  container[index] = value;
}
