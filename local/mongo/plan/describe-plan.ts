import type { Doc } from '../bson/decode.js';
import type { Counters } from './counters.js';
import { describeBounds } from './describe-bounds.js';
import { isCountedByKeys } from './exact.js';
import { isIdLookup } from './id-lookup.js';
import type { EmptyPlan, IndexPlan, Plan } from './plan.js';
import type { QuerySpec } from './query-spec.js';

/** A stage of a plan in the form of `explain`. The last stage applied is outermost. */
export type StageDoc = Doc & { stage: string };

/** Returns the stages of a planned query under MongoDB's names, with counters if it has run. */
export function describePlan(plan: Plan, spec: QuerySpec, counters?: Counters): StageDoc {
  if (plan.kind === 'empty') return { stage: 'EOF' };
  const { sort, skip, limit } = spec;
  let stage = accessStage(plan, spec, counters);
  // A sort keeps only as many documents as are asked for, so that no other stage has to limit them.
  const kept = limit > 0 && { limitAmount: limit + skip };
  if (!plan.sorted) stage = { stage: 'SORT', sortPattern: sort, type: 'simple', ...kept, inputStage: stage };
  if (skip > 0) stage = { stage: 'SKIP', skipAmount: skip, inputStage: stage };
  if (limit > 0 && plan.sorted) stage = { stage: 'LIMIT', limitAmount: limit, inputStage: stage };
  return stage;
}

function accessStage(
  plan: Exclude<Plan, EmptyPlan>,
  spec: QuerySpec,
  counters: Counters | undefined,
): StageDoc {
  const filtered = Object.keys(spec.filter).length > 0 && { filter: spec.filter };
  const docs = counters && { docsExamined: counters.docs };
  if (plan.kind === 'collection') {
    return { stage: 'COLLSCAN', ...filtered, direction: plan.forward ? 'forward' : 'backward', ...docs };
  }
  const keys = counters && { keysExamined: counters.keys };
  if (plan.kind === 'index' && spec.counted && isCountedByKeys(plan, spec.filter)) {
    return { ...indexScan(plan), stage: 'COUNT_SCAN', ...keys };
  }
  if (plan.kind === 'union') {
    const inputStages = plan.branches.map((branch) => scanStage(branch, spec));
    return { stage: 'FETCH', ...filtered, ...docs, inputStage: { stage: 'OR', inputStages, ...keys } };
  }
  if (isIdLookup(spec)) return { stage: 'IDHACK', ...keys, ...docs };
  return { stage: 'FETCH', ...filtered, ...docs, inputStage: { ...scanStage(plan, spec), ...keys } };
}

function scanStage(plan: IndexPlan, spec: QuerySpec): StageDoc {
  if (plan.scans.length === 1) return indexScan(plan);
  return {
    stage: 'SORT_MERGE',
    sortPattern: spec.sort,
    inputStages: plan.scans.map((_, i) => indexScan(plan, i)),
  };
}

function indexScan(plan: IndexPlan, scan = 0): StageDoc {
  const { index, forward } = plan;
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
    indexBounds: describeBounds(plan, scan),
  };
}
