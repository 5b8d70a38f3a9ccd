import { Aggregator } from 'mingo/aggregator';
import { concat, type Iterator } from 'mingo/lazy';
import type { Options } from 'mingo/types';
import type { Doc } from '../../bson/decode.js';
import { isDoc, typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { type ForeignQuery, type Pushdown, pushdown } from '../pushdown.js';

/** `$unionWith` appends the documents of another collection, or the results of a pipeline on them. */
export function unionWith(input: Iterator, spec: unknown, options: Options): Iterator {
  const { coll, pipeline } = parse(spec);
  new Aggregator(pipeline, options).stream([]); // Throws for an invalid stage.
  if (coll === undefined) return concat(input, new Aggregator(pipeline, options).stream([]));
  const { rest, ...query } = pushdown(pipeline);
  return concat(input, new Aggregator(rest.filter(isDoc), options).stream(found(coll, query, options)));
}

/**
 * Yields the results of the query at the beginning of the pipeline. Runs the query when the first result is needed, with
 * an index if one fits.
 */
function* found(coll: string, query: Omit<Pushdown, 'rest'>, options: Options): Generator<Doc> {
  // mingo's type has the first argument only.
  const resolve: ((name: string, query: ForeignQuery) => unknown) | undefined = options.collectionResolver;
  const docs = resolve?.(coll, { ...query, variables: options.variables ?? {} });
  if (Array.isArray(docs)) yield* docs.filter(isDoc);
}

interface UnionWith {
  readonly coll: string | undefined;
  readonly pipeline: Doc[];
}

function parse(spec: unknown): UnionWith {
  if (typeof spec === 'string') return { coll: spec, pipeline: [] };
  if (!isDoc(spec))
    throw new CommandError(
      9,
      `the $unionWith stage specification must be an object or string, but found ${typeOf(spec)}`,
    );
  const { coll, pipeline = [], ...others } = spec;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new CommandError(40415, `BSON field '$unionWith.${unknown}' is an unknown field.`);
  if (coll !== undefined && typeof coll !== 'string') throw wrongType('coll', coll, 'string');
  if (!Array.isArray(pipeline)) throw wrongType('pipeline', pipeline, 'array');
  const stages = pipeline.filter(isDoc);
  if (coll === undefined && stages[0]?.$documents === undefined)
    throw new CommandError(
      9,
      '$unionWith stage without explicit collection must have a pipeline with $documents as first stage',
    );
  return { coll, pipeline: stages };
}

function wrongType(field: string, value: unknown, expected: string): CommandError {
  return new CommandError(
    14,
    `BSON field '$unionWith.${field}' is the wrong type '${typeOf(value)}', expected type '${expected}'`,
  );
}
