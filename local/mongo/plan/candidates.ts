import type { Doc } from '../bson/decode.js';
import { CommandError } from '../errors.js';
import type { KeyField } from '../storage/index-keys.js';
import type { OrderedIndex } from '../storage/ordered-index.js';
import type { View } from '../storage/view.js';
import { type Constraints, constraintsOf } from './constraints.js';
import { disjunctionsOf } from './disjunctions.js';
import { implies, type Query } from './implies.js';
import { includesNull, isSinglePoint } from './intervals.js';
import type { IndexPlan, Plan, UnionPlan } from './plan.js';
import { isRelevant, planIndex } from './plan-index.js';
import type { QuerySpec } from './query-spec.js';
import { directionOfPrefix } from './sort-by-index.js';
import { mostProductive } from './trial.js';

/**
 * Returns the plans that MongoDB would consider, in MongoDB's order. There is one plan for each index whose first key has
 * a predicate, and one for each `$or` whose branches all have an index. If none of these plans gives the order of the
 * sort, each index in that order adds a scan of all its keys. If there is no plan at all, all documents are scanned.
 *
 * @param hinted the only index that may be used
 */
export function candidatePlans(
  view: View,
  spec: QuerySpec,
  sort: readonly KeyField[],
  hinted?: OrderedIndex,
): readonly Plan[] {
  const constraints = constraintsOf(spec.filter, spec.environment);
  if (hinted !== undefined) return hintedPlans(view, spec, constraints, sort, hinted);
  const visible = [...view.indexes.values()].filter(({ definition }) => !definition.hidden);
  const indexes = visible.filter((index) => isUsable(index, spec, constraints));
  const unique = spec.projected ? undefined : indexes.find((index) => isFoundByUniqueKey(index, constraints));
  if (unique !== undefined) return [planIndex(unique, constraints, sort)];
  const plans = [
    ...plansByPredicate(indexes, constraints, sort),
    ...plansByBranches(view, spec, sort, visible),
  ];
  if (sort.length > 0 && !plans.some(({ sorted }) => sorted)) plans.push(...plansBySort(indexes, sort));
  return plans.length > 0 ? plans : [{ kind: 'collection', forward: true, sorted: sort.length === 0 }];
}

/**
 * Returns the plans that use only the hinted index. If the index does not help the query, all its keys are scanned.
 *
 * @throws CommandError if the index is partial and may lack results
 */
function hintedPlans(
  view: View,
  spec: QuerySpec,
  constraints: Constraints,
  sort: readonly KeyField[],
  index: OrderedIndex,
): readonly Plan[] {
  const { partial } = index.definition;
  if (partial && !implies(spec, constraints, partial.filter)) {
    throw new CommandError(291, 'error processing query: No query solutions');
  }
  const plans = [
    ...plansByPredicate([index], constraints, sort),
    ...plansByBranches(view, spec, sort, [index]),
  ];
  return plans.length > 0 ? plans : [planIndex(index, constraints, sort)];
}

function plansByPredicate(
  indexes: readonly OrderedIndex[],
  constraints: Constraints,
  sort: readonly KeyField[],
): Plan[] {
  return indexes
    .filter((index) => isRelevant(index, constraints))
    .map((index) => planIndex(index, constraints, sort));
}

/**
 * Returns whether the query requires one value of a unique index with one field. MongoDB then considers no other index.
 */
function isFoundByUniqueKey({ definition }: OrderedIndex, constraints: Constraints): boolean {
  const [field, ...others] = definition.fields;
  if (field === undefined || others.length > 0 || !definition.unique) return false;
  return constraints.get(field.path)?.match.some(isSinglePoint) ?? false;
}

/** Returns whether an index holds every document that a query may return. MongoDB judges a sparse index by its first key. */
function isUsable({ definition }: OrderedIndex, query: Query, constraints: Constraints): boolean {
  if (definition.partial && !implies(query, constraints, definition.partial.filter)) return false;
  if (!definition.sparse) return true;
  const first = constraints.get(definition.fields[0]?.path ?? '');
  return first?.match.some((intervals) => !includesNull(intervals)) ?? false;
}

/**
 * Returns scans of all keys of the indexes in the order of the sort. Leaves out sparse indexes, which lack documents.
 */
function plansBySort(indexes: readonly OrderedIndex[], sort: readonly KeyField[]): IndexPlan[] {
  return indexes
    .filter(({ definition }) => !definition.sparse)
    .filter(({ definition }) => directionOfPrefix(sort, definition.fields) !== undefined)
    .map((index) => planIndex(index, new Map(), sort))
    .filter(({ sorted }) => sorted);
}

function plansByBranches(
  view: View,
  spec: QuerySpec,
  sort: readonly KeyField[],
  indexes: readonly OrderedIndex[],
): Plan[] {
  return disjunctionsOf(spec.filter)
    .map((branches) => branches.map((branch) => planBranch(view, spec, branch, indexes)))
    .flatMap((plans) => {
      const found = plans.filter((plan) => plan !== undefined);
      return found.length < plans.length ? [] : [unionOf(found, sort)];
    });
}

function unionOf(branches: readonly IndexPlan[], sort: readonly KeyField[]): UnionPlan {
  return { kind: 'union', branches, sorted: sort.length === 0 };
}

/**
 * Returns the best plan for a branch of an `$or`, or undefined if no index fits. An index fits if the branch restricts
 * one of its fields. The rest of the filter narrows the scan.
 */
function planBranch(
  view: View,
  spec: QuerySpec,
  branch: Doc,
  indexes: readonly OrderedIndex[],
): IndexPlan | undefined {
  const { $or: _, ...rest } = spec.filter;
  const filter = { $and: [branch, rest] };
  const own = constraintsOf(branch, spec.environment);
  const all = constraintsOf(filter, spec.environment);
  const plans = indexes
    .filter(({ definition }) => definition.fields.some(({ path }) => own.has(path)))
    .filter((index) => isUsable(index, { ...spec, filter }, all) && isRelevant(index, all))
    .map((index) => planIndex(index, all, []));
  if (plans.length === 0) return undefined;
  return mostProductive(view, { ...spec, filter, sort: {}, skip: 0, limit: 0 }, plans).plan;
}
