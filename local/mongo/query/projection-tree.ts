import type { Doc } from '../bson/decode.js';
import { isDoc, isNumeric } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { truthy } from './truth.js';

/** A projection by path components. A `branch` only leads to its children. */
export interface Node {
  kind: 'branch' | 'include' | 'exclude' | 'compute' | 'transform';
  expression?: unknown;
  transform?: Transform;
  readonly children: Map<string, Node>;
  /** Whether this node or one below it computes a value. */
  computes: boolean;
}

/** A change of a field's value, such as `$slice`. With `includes`, it makes the projection an inclusion. */
export interface Transform {
  readonly includes: boolean;
  readonly apply: (value: unknown) => unknown;
}

/** A parsed projection, with a mode for the fields that it does not name. */
export interface ProjectionTree {
  readonly mode: 'include' | 'exclude' | 'add';
  readonly root: Node;
}

function branch(): Node {
  return { kind: 'branch', children: new Map(), computes: false };
}

/** Parses `$addFields`. A document without operators names nested fields. Every other value is an expression. */
export function parseAddFields(spec: Doc): ProjectionTree {
  const root = branch();
  for (const [path, value] of Object.entries(spec)) addComputed(root, path.split('.'), value);
  return { mode: 'add', root };
}

export function parseUnset(paths: readonly string[]): ProjectionTree {
  const root = branch();
  for (const path of paths) place(root, path.split('.'), 'exclude');
  return { mode: 'exclude', root };
}

/** Parses the projection of a find or of `$project`. Throws if it mixes inclusion and exclusion. */
export function parseProjection(
  spec: Doc,
  transforms: ReadonlyMap<string, Transform> = new Map(),
): ProjectionTree {
  const root = branch();
  const seen = { include: false, exclude: false };
  for (const [path, transform] of transforms) {
    if (transform.includes) seen.include = true;
    place(root, path.split('.'), 'transform').transform = transform;
  }
  for (const [path, value] of Object.entries(spec)) placeSpec(root, path.split('.'), value, seen);
  const idOnly = root.children.get('_id');
  if (seen.include && seen.exclude) throw mixed(spec);
  const named = root.children.size > transforms.size;
  const include = seen.include || (!seen.exclude && idOnly?.kind !== 'exclude' && named);
  if (include && idOnly === undefined) place(root, ['_id'], 'include');
  return { mode: include ? 'include' : 'exclude', root };
}

function mixed(spec: Doc): CommandError {
  const flags = Object.entries(spec).filter(([name]) => name !== '_id');
  const excludes = ([, value]: [string, unknown]) => isFlag(value) && !truthy(value);
  const byExclusion = flags[0] !== undefined && excludes(flags[0]);
  const [field = ''] = flags.find((one) => excludes(one) !== byExclusion) ?? [];
  return byExclusion
    ? new CommandError(31253, `Cannot do inclusion on field ${field} in exclusion projection`)
    : new CommandError(31254, `Cannot do exclusion on field ${field} in inclusion projection`);
}

function placeSpec(
  root: Node,
  path: string[],
  value: unknown,
  seen: { include: boolean; exclude: boolean },
): void {
  if (path.some((part) => part === ''))
    throw new CommandError(40352, 'FieldPath must not have empty components');
  if (isFlag(value)) {
    const kind = truthy(value) ? 'include' : 'exclude';
    if (path.join('.') !== '_id') seen[kind] = true;
    place(root, path, kind);
  } else if (isDoc(value) && !Object.keys(value)[0]?.startsWith('$')) {
    if (Object.keys(value).length === 0)
      throw new CommandError(51270, 'An empty sub-projection is not a valid value.');
    for (const [name, inner] of Object.entries(value))
      placeSpec(root, [...path, ...name.split('.')], inner, seen);
  } else {
    if (path.join('.') !== '_id') seen.include = true;
    place(root, path, 'compute').expression = value;
  }
}

function isFlag(value: unknown): boolean {
  return typeof value === 'boolean' || isNumeric(value);
}

function addComputed(root: Node, path: readonly string[], value: unknown): void {
  if (path.some((part) => part === '' || part === undefined))
    throw new CommandError(40352, 'FieldPath must not have empty components');
  if (!isDoc(value) || Object.keys(value).length === 0 || Object.keys(value)[0]?.startsWith('$')) {
    place(root, path, 'compute').expression = value;
    return;
  }
  for (const [name, inner] of Object.entries(value)) addComputed(root, [...path, ...name.split('.')], inner);
}

function place(root: Node, path: readonly string[], kind: Node['kind']): Node {
  let node = root;
  for (const [i, part] of path.entries()) {
    if (kind === 'compute') node.computes = true;
    const existing = node.children.get(part);
    const last = i === path.length - 1;
    if (existing && existing.kind !== 'branch' && !last) {
      const rest = path.slice(i + 1).join('.');
      throw new CommandError(31249, `Path collision at ${path.join('.')} remaining portion ${rest}`);
    }
    if (existing && last) throw new CommandError(31250, `Path collision at ${path.join('.')}`);
    const next = existing ?? branch();
    node.children.set(part, next);
    node = next;
  }
  node.kind = kind;
  node.computes = kind === 'compute';
  return node;
}
