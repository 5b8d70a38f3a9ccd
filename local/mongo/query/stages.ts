import { evalExpr } from 'mingo/core';
import { type Iterator, Lazy } from 'mingo/lazy';
import { Query } from 'mingo/query';
import type { Options } from 'mingo/types';
import { type Doc, setField } from '../bson/decode.js';
import { toNumber } from '../bson/numbers.js';
import { isDoc, isNumeric } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { KeyMaker } from '../storage/index-keys.js';
import { keyString } from '../storage/key-string.js';
import { parseFilter } from './parse-filter.js';
import { project } from './projection.js';
import { type ProjectionTree, parseAddFields, parseProjection, parseUnset } from './projection-tree.js';
import { sortPattern } from './sort-pattern.js';

type Stage = (input: Iterator, spec: unknown, options: Options) => Iterator;

/** mingo's pipeline stages, replaced where it differs from MongoDB: order of types, of fields, nested fields. */
export const stageOverrides: Record<string, Stage> = {
  $match: (input, spec, options) => {
    const query = new Query(parseFilter(spec), options);
    return input.filter((doc: Doc) => query.test(doc));
  },
  $project: (input, spec, options) => {
    const fields = asDoc('$project', spec);
    if (Object.keys(fields).length === 0)
      throw new CommandError(
        51272,
        'Invalid $project :: caused by :: projection specification must have at least one field',
      );
    return projecting(parseProjection(fields))(input, options);
  },
  $addFields: (input, spec, options) => projecting(parseAddFields(asDoc('$addFields', spec)))(input, options),
  $set: (input, spec, options) => projecting(parseAddFields(asDoc('$set', spec)))(input, options),
  $unset: (input, spec, options) => projecting(parseUnset(unsetPaths(spec)))(input, options),
  $sort: (input, spec) => {
    const keys = new KeyMaker(sortPattern(asDoc('$sort', spec)));
    return input.transform((docs: Doc[]) => Lazy(sortDocs(docs, keys)));
  },
  $limit: (input, spec) => {
    const limit = count('$limit', spec);
    if (limit === 0) throw new CommandError(15958, 'the limit must be positive');
    return input.take(limit);
  },
  $skip: (input, spec) => input.drop(count('$skip', spec)),
  $group: (input, spec, options) => {
    const fields = asDoc('$group', spec);
    if (!Object.hasOwn(fields, '_id'))
      throw new CommandError(15955, 'a group specification must include an _id');
    return input.transform((docs: Doc[]) => Lazy(group(docs, fields, options)));
  },
  $sortByCount: (input, spec, options) => {
    const grouped = stageOverrides.$group?.(input, { _id: spec, count: { $sum: 1 } }, options) ?? input;
    return stageOverrides.$sort?.(grouped, { count: -1 }, options) ?? grouped;
  },
};

/** Sorts documents stably; each one's sort key is made once. */
export function sortDocs(docs: readonly Doc[], keys: KeyMaker): Doc[] {
  const keyed = docs.map((doc) => ({ doc, key: keys.sortKeyOf(doc) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ doc }) => doc);
}

function projecting({ mode, root }: ProjectionTree): (input: Iterator, options: Options) => Iterator {
  return (input, options) =>
    input.map((doc: Doc) =>
      project(doc, root, mode, (expression, whole) => evalExpr(whole, expression, options)),
    );
}

function asDoc(name: string, spec: unknown): Doc {
  if (isDoc(spec)) return spec;
  throw new CommandError(40272, `${name} specification stage must be an object`);
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

function count(name: string, spec: unknown): number {
  const number = isNumeric(spec) ? toNumber(spec) : Number.NaN;
  if (Number.isInteger(number) && number >= 0) return number;
  throw new CommandError(
    name === '$limit' ? 5107201 : 5107200,
    `invalid argument to ${name} stage: Expected a non-negative integer`,
  );
}

/** Groups by the value of `_id` in BSON equality; a missing `_id` value groups as null. */
function group(docs: readonly Doc[], spec: Doc, options: Options): Doc[] {
  const groups = new Map<string, { id: unknown; members: Doc[] }>();
  for (const doc of docs) {
    const id = evalExpr(doc, spec._id, options) ?? null;
    const key = keyString([id], [1]);
    const found = groups.get(key);
    if (found) found.members.push(doc);
    else groups.set(key, { id, members: [doc] });
  }
  return [...groups.values()].map(({ id, members }) => accumulate(id, members, spec, options));
}

function accumulate(id: unknown, members: Doc[], spec: Doc, options: Options): Doc {
  const result: Doc = { _id: id };
  for (const [name, accumulator] of Object.entries(spec)) {
    if (name === '_id') continue;
    if (!isDoc(accumulator) || Object.keys(accumulator).length !== 1) {
      throw new CommandError(40234, `The field '${name}' must be an accumulator object`);
    }
    setField(result, name, evalExpr(members, accumulator, options));
  }
  return result;
}
