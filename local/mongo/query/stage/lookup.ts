import { Aggregator } from 'mingo/aggregator';
import { evalExpr } from 'mingo/core';
import type { Iterator } from 'mingo/lazy';
import type { Options } from 'mingo/types';
import { type Doc, setField } from '../../bson/decode.js';
import { anyValueAt } from '../../bson/path.js';
import { isDoc } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { keyString } from '../../storage/key-string.js';
import { withVariables } from '../mingo-options.js';

const OPTIONS = new Set(['from', 'localField', 'foreignField', 'as', 'let', 'pipeline']);

/**
 * `$lookup` adds documents of another collection: all, or those with an equal field. If there is a pipeline, it adds the
 * results of the pipeline on them.
 */
export function lookup(input: Iterator, spec: unknown, options: Options): Iterator {
  const { from, localField, foreignField, as, let: variables, pipeline } = parse(spec);
  const foreign = foreignDocs(from, options);
  const equal = localField === undefined ? undefined : indexOf(foreign, String(foreignField));
  return input.map((doc: Doc) => {
    const candidates = equal === undefined ? foreign : matching(equal, doc, String(localField));
    const result: Doc = { ...doc };
    setField(
      result,
      as,
      pipeline === undefined ? candidates : piped(candidates, pipeline, doc, variables, options),
    );
    return result;
  });
}

interface Lookup {
  readonly from: string | undefined;
  readonly localField: unknown;
  readonly foreignField: unknown;
  readonly as: string;
  readonly let: Doc;
  readonly pipeline: Doc[] | undefined;
}

function parse(spec: unknown): Lookup {
  if (!isDoc(spec)) throw new CommandError(9, 'the $lookup specification must be an Object');
  const unknown = Object.keys(spec).find((name) => !OPTIONS.has(name));
  if (unknown !== undefined) throw new CommandError(9, `unknown argument to $lookup: ${unknown}`);
  const { from, as, localField, foreignField, pipeline } = spec;
  if (from !== undefined && typeof from !== 'string')
    throw new CommandError(238, '$lookup from another database is not supported by this server');
  if (typeof as !== 'string') throw new CommandError(9, "must specify 'as' field for a $lookup");
  if (as.includes('.'))
    throw new CommandError(238, "a dotted 'as' of $lookup is not supported by this server");
  if ((localField === undefined) !== (foreignField === undefined))
    throw new CommandError(
      9,
      '$lookup requires both or neither of localField and foreignField to be specified',
    );
  if (pipeline === undefined && localField === undefined)
    throw new CommandError(
      9,
      "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified",
    );
  const stages = Array.isArray(pipeline) ? pipeline.filter(isDoc) : undefined;
  if (from === undefined && stages?.[0]?.$documents === undefined)
    throw new CommandError(9, "must specify 'pipeline' when 'from' is empty");
  return { from, localField, foreignField, as, let: isDoc(spec.let) ? spec.let : {}, pipeline: stages };
}

/** Returns the documents of another collection, or none if there is no name. */
export function foreignDocs(from: string | undefined, options: Options): Doc[] {
  const docs: unknown = from === undefined ? [] : options.collectionResolver?.(from);
  return Array.isArray(docs) ? docs.filter(isDoc) : [];
}

/** Maps each value of a field to the documents that have it, in order. A missing value counts as null. */
function indexOf(docs: readonly Doc[], path: string): Map<string, Set<Doc>> {
  const found = new Map<string, Set<Doc>>();
  for (const doc of docs) {
    const visit = (value: unknown) => {
      const key = keyString([value ?? null], [1]);
      found.set(key, (found.get(key) ?? new Set<Doc>()).add(doc));
      return false;
    };
    anyValueAt(doc, path.split('.'), 'each', visit);
  }
  return found;
}

/** Returns the keys to look for: one for each element of an array, or the key of null if there is no value. */
function localKeys(doc: Doc, path: string): string[] {
  const values: unknown[] = [];
  anyValueAt(doc, path.split('.'), 'whole', (value) => {
    values.push(...(Array.isArray(value) ? value : [value]).filter((one) => one !== undefined));
    return false;
  });
  return [...new Set((values.length > 0 ? values : [null]).map((value) => keyString([value], [1])))];
}

function matching(index: ReadonlyMap<string, Set<Doc>>, doc: Doc, path: string): Doc[] {
  const keys = localKeys(doc, path);
  if (keys.length <= 1) return [...(index.get(keys[0] ?? '') ?? [])];
  const wanted = new Set(keys.flatMap((key) => [...(index.get(key) ?? [])]));
  return [...new Set([...index.values()].flatMap((docs) => [...docs]))].filter((one) => wanted.has(one));
}

function piped(docs: Doc[], pipeline: Doc[], doc: Doc, variables: Doc, options: Options): unknown[] {
  const values = Object.entries(variables).map(([name, one]) => [name, evalExpr(doc, one, options) ?? null]);
  return new Aggregator(pipeline, withVariables(options, Object.fromEntries(values))).run(docs);
}
