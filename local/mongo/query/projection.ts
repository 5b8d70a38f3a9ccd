import { type Doc, setField } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import type { Node } from './projection-tree.js';

/** Computes an expression of a projection on the whole document. */
export type Evaluate = (expression: unknown, root: Doc) => unknown;

/**
 * Applies a projection tree to a document. `include` keeps the fields that the tree names, `exclude` drops them, and
 * `add` keeps all fields. Each mode sets computed fields. Kept fields stay in the document's order. A computed field
 * takes the place of a field with the same name, or follows at the end. Arrays are projected element by element.
 */
export function project(doc: Doc, tree: Node, mode: 'include' | 'exclude' | 'add', evaluate: Evaluate): Doc {
  return projectDoc(doc, tree, mode, (expression) => evaluate(expression, doc));
}

type Compute = (expression: unknown) => unknown;

function projectDoc(doc: Doc, tree: Node, mode: string, compute: Compute): Doc {
  const result: Doc = {};
  for (const [name, value] of Object.entries(doc)) {
    const projected = projectField(tree.children.get(name), value, mode, compute);
    if (projected !== undefined) setField(result, name, projected);
  }
  addComputed(result, doc, tree, mode, compute);
  return result;
}

function projectField(node: Node | undefined, value: unknown, mode: string, compute: Compute): unknown {
  if (node === undefined) return mode === 'include' ? undefined : value;
  if (node.kind === 'include') return value;
  if (node.kind === 'exclude') return undefined;
  if (node.kind === 'compute') return compute(node.expression);
  if (node.transform) return node.transform.apply(value);
  return projectValue(node, value, mode, compute);
}

/** Applies a subtree to documents and to each element of an array. Scalars have no fields. */
function projectValue(node: Node, value: unknown, mode: string, compute: Compute): unknown {
  if (Array.isArray(value)) {
    const projected = value.map((element) => projectValue(node, element, mode, compute));
    return projected.filter((element) => element !== undefined);
  }
  if (isDoc(value)) return projectDoc(value, node, mode, compute);
  if (node.computes) return projectDoc({}, node, mode, compute);
  return mode === 'include' ? undefined : value;
}

/** Adds computed fields that the document lacks. */
function addComputed(result: Doc, doc: Doc, tree: Node, mode: string, compute: Compute): void {
  for (const [name, node] of tree.children) {
    if (!node.computes || Object.hasOwn(doc, name)) continue;
    const value = node.kind === 'compute' ? compute(node.expression) : projectDoc({}, node, mode, compute);
    if (value !== undefined) setField(result, name, value);
  }
}
