import { Aggregator } from 'mingo/aggregator';
import { evalExpr } from 'mingo/core';
import { type Iterator, Lazy } from 'mingo/lazy';
import { Query } from 'mingo/query';
import type { Options } from 'mingo/types';
import type { Doc } from '../bson/decode.js';
import { toNumber } from '../bson/numbers.js';
import { isDoc, isNumeric, typeOf } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { KeyMaker } from '../storage/index-keys.js';
import { parseFilter } from './parse-filter.js';
import { project } from './projection.js';
import { type ProjectionTree, parseAddFields, parseProjection, parseUnset } from './projection-tree.js';
import { sortDocs } from './sort-docs.js';
import { sortPattern } from './sort-pattern.js';
import { bucket } from './stage/bucket.js';
import { group } from './stage/group.js';
import { lookup } from './stage/lookup.js';
import { unionWith } from './stage/union-with.js';
import { unwind } from './stage/unwind.js';
import { setWindowFields } from './stage/window-fields.js';

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
    const pattern = sortPattern(asDoc('$sort', spec));
    if (pattern.length === 0) throw new CommandError(15976, '$sort stage must have at least one sort key');
    const keys = new KeyMaker(pattern);
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
  $unwind: unwind,
  $lookup: lookup,
  $unionWith: unionWith,
  $bucket: bucket,
  $setWindowFields: setWindowFields,
  $replaceRoot: (input, spec, options) => {
    const { newRoot } = asDoc('$replaceRoot', spec);
    if (newRoot === undefined)
      throw new CommandError(40231, 'no newRoot specified for the $replaceRoot stage');
    return replacing(input, newRoot, options);
  },
  $replaceWith: replacing,
  $count: (input, spec) => {
    if (typeof spec !== 'string' || spec === '' || spec.startsWith('$') || spec.includes('.'))
      throw new CommandError(40156, 'the count field must be a non-empty string without a $ or a dot');
    return input.transform((docs: Doc[]) => Lazy(docs.length > 0 ? [{ [spec]: docs.length }] : []));
  },
  $facet: (input, spec, options) => {
    const facets = Object.entries(asDoc('$facet', spec));
    if (facets.length === 0)
      throw new CommandError(40169, 'the $facet specification must be a non-empty object');
    return input.transform((docs: Doc[]) => {
      const results = facets.map(([name, stages]) => [
        name,
        new Aggregator(stagesOf(stages), options).run(docs),
      ]);
      return Lazy([Object.fromEntries(results)]);
    });
  },
  $sample: (input, spec) => {
    const { size } = asDoc('$sample', spec);
    const wanted = isNumeric(size) ? Math.trunc(toNumber(size)) : 0;
    if (wanted <= 0) throw new CommandError(28747, 'size argument to $sample must be a positive integer');
    return input.transform((docs: Doc[]) => Lazy(shuffled(docs).slice(0, wanted)));
  },
  $sortByCount: (input, spec, options) => {
    const grouped = stageOverrides.$group?.(input, { _id: spec, count: { $sum: 1 } }, options) ?? input;
    return stageOverrides.$sort?.(grouped, { count: -1 }, options) ?? grouped;
  },
};

function projecting({ mode, root }: ProjectionTree): (input: Iterator, options: Options) => Iterator {
  return (input, options) =>
    input.map((doc: Doc) =>
      project(doc, root, mode, (expression, whole) => evalExpr(whole, expression, options)),
    );
}

function replacing(input: Iterator, expression: unknown, options: Options): Iterator {
  return input.map((doc: Doc) => {
    const root = evalExpr(doc, expression, options);
    if (isDoc(root)) return root;
    throw new CommandError(
      40228,
      `'newRoot' expression must evaluate to an object, but resulting value was of type ${typeOf(root)}`,
    );
  });
}

function stagesOf(stages: unknown): Doc[] {
  if (Array.isArray(stages)) return stages.filter(isDoc);
  throw new CommandError(40170, 'arguments to $facet must be arrays');
}

/** Each document once, in any order. */
function shuffled(docs: readonly Doc[]): Doc[] {
  const keyed = docs.map((doc) => ({ doc, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ doc }) => doc);
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
