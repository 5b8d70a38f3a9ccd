import { evalExpr } from 'mingo/core';
import type { Doc } from '../bson/decode.js';
import { type Environment, optionsFor } from './evaluation.js';
import { project } from './projection.js';
import { parseProjection } from './projection-tree.js';
import { bindNow } from './variables.js';

/** Compiles the projection of a find, findAndModify or the like; `$` needs the filter. */
export function compileProjection(spec: Doc, _filter: Doc, environment: Environment): (doc: Doc) => Doc {
  const { mode, root } = parseProjection(bindNow(spec, environment.now) as Doc);
  const options = optionsFor(environment);
  return (doc) => project(doc, root, mode, (expression, whole) => evalExpr(whole, expression, options));
}
