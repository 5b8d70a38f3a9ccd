import { Aggregator } from 'mingo/aggregator';
import { type Iterator, Lazy } from 'mingo/lazy';
import type { Options } from 'mingo/types';
import type { Doc } from '../bson/decode.js';
import { toNumber } from '../bson/to-number.js';
import { isDoc, isNumeric } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { KeyMaker } from '../storage/index-keys.js';
import { compileCondition } from './conditions.js';
import { asDoc, type DocumentStage, documentStages } from './document-stages.js';
import { parseFilter } from './parse-filter.js';
import { sortDocs } from './sort-docs.js';
import { sortPattern } from './sort-pattern.js';
import { bucket } from './stage/bucket.js';
import { group } from './stage/group.js';
import { lookup } from './stage/lookup.js';
import { unionWith } from './stage/union-with.js';
import { unwind } from './stage/unwind.js';
import { setWindowFields } from './stage/window-fields.js';

type Stage = (input: Iterator, spec: unknown, options: Options) => Iterator;

function mapping(compile: DocumentStage): Stage {
  return (input, spec, options) => input.map(compile(spec, options));
}

/**
 * Stages that replace mingo's where mingo differs from MongoDB in the order of types or of fields, or in nested fields.
 */
export const stageOverrides: Record<string, Stage> = {
  $match: (input, spec, options) => {
    const test = compileCondition(parseFilter(spec), options);
    return input.filter((doc: Doc) => test(doc));
  },
  ...Object.fromEntries(Object.entries(documentStages).map(([name, compile]) => [name, mapping(compile)])),
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

function stagesOf(stages: unknown): Doc[] {
  if (Array.isArray(stages)) return stages.filter(isDoc);
  throw new CommandError(40170, 'arguments to $facet must be arrays');
}

/** Returns each document once, in random order. */
function shuffled(docs: readonly Doc[]): Doc[] {
  const keyed = docs.map((doc) => ({ doc, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ doc }) => doc);
}

function count(name: string, spec: unknown): number {
  const number = isNumeric(spec) ? toNumber(spec) : Number.NaN;
  if (Number.isInteger(number) && number >= 0) return number;
  throw new CommandError(
    name === '$limit' ? 5107201 : 5107200,
    `invalid argument to ${name} stage: Expected a non-negative integer`,
  );
}
