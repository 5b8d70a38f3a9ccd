import { evalExpr } from 'mingo/core';
import type { Options } from 'mingo/types';
import type { Doc } from '../bson/decode.js';
import { isDoc, typeOf } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { project } from './projection.js';
import { type ProjectionTree, parseAddFields, parseProjection, parseUnset } from './projection-tree.js';

/** Compiles a stage that maps each document to one, independently of the others. */
export type DocumentStage = (spec: unknown, options: Options) => (doc: Doc) => Doc;

/** The stages that map each document to one. An update may have only these. */
export const documentStages: Readonly<Record<string, DocumentStage>> = {
  $project: (spec, options) => {
    const fields = asDoc('$project', spec);
    if (Object.keys(fields).length === 0)
      throw new CommandError(
        51272,
        'Invalid $project :: caused by :: projection specification must have at least one field',
      );
    return projecting(parseProjection(fields), options);
  },
  $addFields: (spec, options) => projecting(parseAddFields(asDoc('$addFields', spec)), options),
  $set: (spec, options) => projecting(parseAddFields(asDoc('$set', spec)), options),
  $unset: (spec, options) => projecting(parseUnset(unsetPaths(spec)), options),
  $replaceRoot: (spec, options) => {
    const { newRoot } = asDoc('$replaceRoot', spec);
    if (newRoot === undefined)
      throw new CommandError(40231, 'no newRoot specified for the $replaceRoot stage');
    return replacing(newRoot, options);
  },
  $replaceWith: replacing,
};

/** Returns the specification of a stage. Throws 40272 if it is not a document. */
export function asDoc(name: string, spec: unknown): Doc {
  if (isDoc(spec)) return spec;
  throw new CommandError(40272, `${name} specification stage must be an object`);
}

function projecting({ mode, root }: ProjectionTree, options: Options): (doc: Doc) => Doc {
  return (doc) => project(doc, root, mode, (expression, whole) => evalExpr(whole, expression, options));
}

function replacing(expression: unknown, options: Options): (doc: Doc) => Doc {
  return (doc) => {
    const root = evalExpr(doc, expression, options);
    if (isDoc(root)) return root;
    throw new CommandError(
      40228,
      `'newRoot' expression must evaluate to an object, but resulting value was of type ${typeOf(root)}`,
    );
  };
}

function unsetPaths(spec: unknown): string[] {
  const paths: unknown[] = Array.isArray(spec) ? spec : [spec];
  if (paths.length === 0)
    throw new CommandError(
      31119,
      '$unset specification must be a string or an array with at least one field',
    );
  return paths.map((path) => {
    if (typeof path === 'string') return path;
    throw new CommandError(
      31120,
      '$unset specification must be a string or an array containing only string values',
    );
  });
}
