import { evalExpr } from 'mingo/core';
import type { Doc } from '../bson/decode.js';
import { forgetPositions, matchedPositions } from '../bson/path.js';
import { toNumber } from '../bson/to-number.js';
import { isDoc, isNumeric } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { compileFilter, type Environment, optionsFor } from './evaluation.js';
import { project } from './projection.js';
import { parseProjection, type Transform } from './projection-tree.js';
import { bindNow } from './variables.js';

/**
 * Compiles the projection of a find, findAndModify or the like. In addition to `$project`, it supports `$slice`,
 * `$elemMatch` and the positional `path.$`, which needs the filter.
 */
export function compileProjection(spec: Doc, filter: Doc, environment: Environment): (doc: Doc) => Doc {
  const transforms = new Map<string, Transform>();
  const plain: Doc = {};
  for (const [path, value] of Object.entries(spec)) {
    const transform = transformOf(path, value, environment);
    if (transform) transforms.set(path.replace(/\.\$$/, ''), transform);
    else plain[path] = value;
  }
  const { mode, root } = parseProjection(bindNow(plain, environment.now) as Doc, transforms);
  const options = optionsFor(environment);
  const evaluate = (expression: unknown, whole: Doc) => evalExpr(whole, expression, options);
  const positional = Object.keys(spec).some((path) => path.endsWith('.$'));
  if (!positional) return (doc) => project(doc, root, mode, evaluate);
  const matches = compileFilter(filter, environment);
  return (doc) => {
    forgetPositions();
    matches(doc);
    return project(doc, root, mode, evaluate);
  };
}

function transformOf(path: string, value: unknown, environment: Environment): Transform | undefined {
  if (path.endsWith('.$')) return { includes: true, apply: positionalElement(path.slice(0, -2)) };
  if (!isDoc(value) || Object.keys(value).length !== 1) return undefined;
  if (Object.hasOwn(value, '$elemMatch'))
    return { includes: true, apply: firstMatching(value.$elemMatch, environment) };
  const slice = sliceBounds(value.$slice);
  return (
    slice && { includes: false, apply: (field) => (Array.isArray(field) ? sliced(field, slice) : field) }
  );
}

function positionalElement(path: string): (field: unknown) => unknown {
  return (field) => {
    if (!Array.isArray(field)) return field;
    const position = matchedPositions.get(path) ?? [...matchedPositions.values()].at(-1);
    if (position === undefined) {
      throw new CommandError(
        51246,
        "Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array",
      );
    }
    return field.slice(position, position + 1);
  };
}

function firstMatching(condition: unknown, environment: Environment): (field: unknown) => unknown {
  const matches = compileFilter({ element: { $elemMatch: condition } }, environment);
  return (field) => {
    const elements = Array.isArray(field) ? field : [];
    const found = elements.findIndex((element: unknown) => matches({ element: [element] }));
    return found < 0 ? undefined : [elements[found]];
  };
}

/** Returns the bounds of `n` or `[skip, n]`. Undefined for the aggregation operator of the same name. */
function sliceBounds(operand: unknown): readonly [number, number] | undefined {
  if (isNumeric(operand)) {
    const n = toNumber(operand);
    return n < 0 ? [n, -n] : [0, n];
  }
  if (!Array.isArray(operand) || operand.length !== 2 || !operand.every(isNumeric)) return undefined;
  const [skip = 0, limit = 0] = operand.map(toNumber);
  if (limit <= 0) throw new CommandError(28724, `Third argument to $slice must be positive: ${limit}`);
  return [skip, limit];
}

function sliced(array: readonly unknown[], [skip, limit]: readonly [number, number]): unknown[] {
  const start = skip < 0 ? Math.max(0, array.length + skip) : skip;
  return array.slice(start, start + limit);
}
