import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { indexMatching } from '../command/index-lookup.js';
import { CommandError } from '../errors.js';
import type { Environment } from '../query/evaluation.js';
import { directionOf } from '../query/sort-pattern.js';
import type { KeyField } from '../storage/index-keys.js';
import type { OrderedIndex } from '../storage/ordered-index.js';
import type { View } from '../storage/view.js';
import { type Constraints, combined, constraintsOf } from './constraints.js';
import type { QuerySpec } from './find-matches.js';
import { implies } from './implies.js';
import { includesNull, isAll, isPoint } from './intervals.js';
import type { IndexPlan, Plan, UnionPlan } from './plan.js';
import { boundsOf, planIndex, rating } from './plan-index.js';
import { planRange } from './plan-range.js';

/** Chooses the index that serves a query best; without one, all documents are scanned. */
export function choosePlan(view: View, spec: QuerySpec, sort: readonly KeyField[]): Plan {
  const natural = naturalDirection(spec);
  if (natural !== undefined)
    return {
      kind: 'collection',
      forward: natural === 1,
      sorted: sort.length === 0 || sort[0]?.path === '$natural',
    };
  const hinted = hintedIndex(view, spec.hint);
  if (spec.ends !== undefined) return planRange(hinted, spec.ends, sort);
  if (hinted !== undefined)
    return planHinted(hinted, spec, constraintsOf(spec.filter, spec.environment), sort);
  return (
    bestIndex(view, spec.filter, spec.environment, sort) ??
    planBranches(view, spec, sort) ?? { kind: 'collection', forward: true, sorted: sort.length === 0 }
  );
}

function bestIndex(
  view: View,
  filter: Doc,
  environment: Environment,
  sort: readonly KeyField[],
): IndexPlan | undefined {
  const constraints = constraintsOf(filter, environment);
  const byId = idPlan(view, constraints, sort);
  if (byId) return byId;
  const plans = [...view.indexes.values()]
    .filter((index) => !index.definition.hidden && isUsable(index, filter, constraints))
    .filter((index) => isUseful(index, constraints, sort))
    .map((index) => planIndex(index, constraints, sort));
  const [best] = plans
    .filter((plan) => narrows(plan) || (plan.sorted && sort.length > 0))
    .sort((a, b) => rating(b) - rating(a));
  return best;
}

/** Most updates name the `_id`. No plan is better, so that no other is made to be compared with it. */
function idPlan(view: View, constraints: Constraints, sort: readonly KeyField[]): IndexPlan | undefined {
  const index = view.indexes.get('_id_');
  const constraint = constraints.get('_id');
  if (!index || !constraint || !combined(constraint).every(isPoint)) return undefined;
  return planIndex(index, constraints, sort);
}

/** An index for each branch of an `$or`; none if one of them would need all documents. */
function planBranches(view: View, spec: QuerySpec, sort: readonly KeyField[]): UnionPlan | undefined {
  const { $or, ...rest } = spec.filter;
  if (!Array.isArray($or)) return undefined;
  const branches = $or.map((branch: unknown) =>
    bestIndex(view, { $and: [branch, rest] }, spec.environment, []),
  );
  const found = branches.filter((plan) => plan !== undefined);
  if (found.length < branches.length) return undefined;
  return { kind: 'union', branches: found, sorted: sort.length === 0 };
}

function narrows(plan: IndexPlan): boolean {
  return !plan.scans.every((bounds) => bounds.every(isAll));
}

/** `$natural`, as a hint or a sort, asks for the order of insertion. */
function naturalDirection({ hint, sort }: QuerySpec): 1 | -1 | undefined {
  const given = isDoc(hint) && Object.hasOwn(hint, '$natural') ? hint.$natural : sort.$natural;
  return given === undefined ? undefined : directionOf(given);
}

function hintedIndex(view: View, hint: unknown): OrderedIndex | undefined {
  if (hint === undefined || (isDoc(hint) && Object.keys(hint).length === 0)) return undefined;
  const index = typeof hint === 'string' || isDoc(hint) ? indexMatching(view.indexes, hint) : undefined;
  if (index !== undefined && !index.definition.hidden) return index;
  throw new CommandError(
    2,
    'error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index',
  );
}

/** A hint to a partial index that does not hold all answers leaves no plan; one to a sparse index is taken. */
function planHinted(
  index: OrderedIndex,
  spec: QuerySpec,
  constraints: Constraints,
  sort: readonly KeyField[],
): Plan {
  const { partial } = index.definition;
  if (partial && !implies(spec.filter, constraints, partial.filter)) {
    throw new CommandError(291, 'error processing query: No query solutions');
  }
  return planIndex(index, constraints, sort);
}

/** Whether the index holds every document that the query may return. */
function isUsable({ definition }: OrderedIndex, filter: Doc, constraints: Constraints): boolean {
  if (definition.partial && !implies(filter, constraints, definition.partial.filter)) return false;
  if (!definition.sparse) return true;
  return definition.fields.some(({ path }) =>
    constraints.get(path)?.match.some((intervals) => !includesNull(intervals)),
  );
}

/** An index is of use if it narrows its first field or may give the order. */
function isUseful(index: OrderedIndex, constraints: Constraints, sort: readonly KeyField[]): boolean {
  const [first] = boundsOf(index, constraints);
  return sort.length > 0 || (first !== undefined && !isAll(first));
}
