import { Aggregator } from 'mingo/aggregator';
import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { documentStages } from './document-stages.js';
import { type Environment, isStage, optionsFor } from './evaluation.js';
import { bindNow } from './variables.js';

/** MongoDB's stages that this server lacks, with the error code for each. */
const REFUSED: Readonly<Record<string, number>> = {
  $changeStream: 40573,
  $geoNear: 115,
  $graphLookup: 115,
  $redact: 115,
  $densify: 115,
  $fill: 115,
  $bucketAuto: 115,
  $search: 115,
  $indexStats: 115,
  $collStats: 115,
};

/** A compiled pipeline. It turns input documents into results, lazily where its stages allow. */
export type Pipeline = (docs: Iterable<Doc>) => Iterable<Doc>;

/** Throws MongoDB's error for a stage that is unknown, malformed or not supported. */
export function checkPipeline(pipeline: readonly unknown[], environment: Environment): void {
  compilePipeline(pipeline, environment)([]);
}

/** Compiles a pipeline. An invalid pipeline throws here, or when it gets its documents. */
export function compilePipeline(pipeline: readonly unknown[], environment: Environment): Pipeline {
  const stages = bindStages(pipeline, environment.now);
  const aggregator = new Aggregator(stages, optionsFor(environment, true));
  return (docs) => aggregator.stream(docs) as Iterable<Doc>;
}

/** Checks the stages, including those of sub-pipelines, and replaces `$$NOW` with the command's time. */
function bindStages(pipeline: readonly unknown[], now: Date, within = ''): Doc[] {
  return pipeline.map((stage) => {
    const [name, ...others] = isDoc(stage) ? Object.keys(stage) : [];
    if (!isDoc(stage) || name === undefined || others.length > 0) {
      throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.');
    }
    if (name === '$out' || name === '$merge') throw misplaced(name, within);
    if (name in REFUSED) throw refused(name);
    if (!isStage(name)) throw new CommandError(40324, `Unrecognized pipeline stage name: '${name}'`);
    return { [name]: bindSpec(name, stage[name], now) };
  });
}

/** Returns the error for a stage that writes but is not the last. The last stage is removed before compiling if it writes. */
function misplaced(name: string, within: string): CommandError {
  const code = MISPLACED.get(within);
  if (code === undefined)
    return new CommandError(40601, `${name} can only be the final stage in the pipeline`);
  return new CommandError(code, `${name} is not allowed within a ${within}'s sub-pipeline`);
}

const MISPLACED: ReadonlyMap<string, number> = new Map([
  ['$facet', 40600],
  ['$lookup', 51047],
  ['$unionWith', 31441],
]);

function refused(name: string): CommandError {
  if (name === '$changeStream') {
    return new CommandError(40573, 'The $changeStream stage is only supported on replica sets');
  }
  return new CommandError(REFUSED[name] ?? 115, `${name} is not supported by this server`);
}

function bindSpec(name: string, spec: unknown, now: Date): unknown {
  if (name === '$match') return bindMatch(spec, now);
  if (name === '$unwind') return spec;
  if (name === '$facet' && isDoc(spec)) {
    const facets = Object.entries(spec).map(([facet, stages]) => [
      facet,
      Array.isArray(stages) ? bindStages(stages, now, name) : stages,
    ]);
    return Object.fromEntries(facets);
  }
  if (isDoc(spec) && Array.isArray(spec.pipeline)) {
    const { pipeline, ...rest } = spec;
    return { ...(bindNow(rest, now) as Doc), pipeline: bindStages(pipeline, now, name) };
  }
  return bindNow(spec, now);
}

function bindMatch(filter: unknown, now: Date): unknown {
  if (!isDoc(filter)) return filter;
  const entries = Object.entries(filter).map(([name, value]) => {
    if (name === '$expr') return [name, bindNow(value, now)];
    return [
      name,
      name.startsWith('$') && Array.isArray(value) ? value.map((branch) => bindMatch(branch, now)) : value,
    ];
  });
  return Object.fromEntries(entries);
}

/** Compiles the pipeline of an update, which may only have stages that map each document to one. */
export function compileUpdatePipeline(
  pipeline: readonly unknown[],
  environment: Environment,
): (doc: Doc) => Doc {
  for (const stage of pipeline) {
    const [name] = isDoc(stage) ? Object.keys(stage) : [];
    if (name === undefined || !Object.hasOwn(documentStages, name)) {
      throw new CommandError(72, `${name ?? 'Stage'} is not allowed to be used within an update`);
    }
  }
  const options = optionsFor(environment);
  const steps = bindStages(pipeline, environment.now)
    .flatMap((stage) => Object.entries(stage))
    .flatMap(([name, spec]) => documentStages[name]?.(spec, options) ?? []);
  return (doc) => {
    const result = steps.reduce((made, step) => step(made), doc);
    return result._id === undefined && doc._id !== undefined ? { _id: doc._id, ...result } : result;
  };
}
