import type { Doc } from '../bson/decode.js';
import type { Counters } from './counters.js';
import { isIdLookup } from './id-lookup.js';
import type { IndexPlan, Plan } from './plan.js';
import type { QuerySpec } from './query-spec.js';

/** A stage of a plan as `explain` shows it, the last applied outermost. */
export type StageDoc = Doc & { stage: string };

/** The stages of a planned query, named as MongoDB names them; with counters if it has been run. */
export function describePlan(plan: Plan, spec: QuerySpec, counters?: Counters): StageDoc {
  let stage = accessStage(plan, spec, counters);
  if (!plan.sorted) stage = { stage: 'SORT', sortPattern: spec.sort, type: 'simple', inputStage: stage };
  if (spec.skip > 0) stage = { stage: 'SKIP', skipAmount: spec.skip, inputStage: stage };
  if (spec.limit > 0) stage = { stage: 'LIMIT', limitAmount: spec.limit, inputStage: stage };
  return stage;
}

function accessStage(plan: Plan, spec: QuerySpec, counters: Counters | undefined): StageDoc {
  const filtered = Object.keys(spec.filter).length > 0 && { filter: spec.filter };
  const docs = counters && { docsExamined: counters.docs };
  if (plan.kind === 'collection') {
    return { stage: 'COLLSCAN', ...filtered, direction: plan.forward ? 'forward' : 'backward', ...docs };
  }
  const keys = counters && { keysExamined: counters.keys };
  if (plan.kind === 'union') {
    const inputStages = plan.branches.map((branch) => scanStage(branch, spec));
    return { stage: 'FETCH', ...filtered, ...docs, inputStage: { stage: 'OR', inputStages, ...keys } };
  }
  if (isIdLookup(spec)) return { stage: 'IDHACK', ...keys, ...docs };
  return { stage: 'FETCH', ...filtered, ...docs, inputStage: { ...scanStage(plan, spec), ...keys } };
}

function scanStage(plan: IndexPlan, spec: QuerySpec): StageDoc {
  const scan = indexScan(plan);
  if (plan.scans.length === 1) return scan;
  return { stage: 'SORT_MERGE', sortPattern: spec.sort, inputStages: plan.scans.map(() => scan) };
}

function indexScan({ index, forward }: IndexPlan): StageDoc {
  const { definition, multikeyFields } = index;
  return {
    stage: 'IXSCAN',
    keyPattern: definition.spec.key,
    indexName: definition.name,
    isMultiKey: multikeyFields.size > 0,
    isUnique: definition.unique,
    isSparse: definition.sparse,
    isPartial: definition.partial !== undefined,
    indexVersion: 2,
    direction: forward ? 'forward' : 'backward',
  };
}
