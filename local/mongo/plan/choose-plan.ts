import { isDoc } from '../bson/type-of.js';
import { indexMatching } from '../command/index-lookup.js';
import { CommandError } from '../errors.js';
import { directionOf } from '../query/sort-pattern.js';
import type { KeyField } from '../storage/index-keys.js';
import type { OrderedIndex } from '../storage/ordered-index.js';
import type { View } from '../storage/view.js';
import { candidatePlans } from './candidates.js';
import { constraintsOf } from './constraints.js';
import { isIdLookup } from './id-lookup.js';
import type { Plan } from './plan.js';
import { planIndex } from './plan-index.js';
import { planRange } from './plan-range.js';
import type { QuerySpec } from './query-spec.js';
import { mostProductive } from './trial.js';

/** The plan of a query, and the plans that were considered and rejected. */
export interface Choice {
  readonly plan: Plan;
  readonly rejected: readonly Plan[];
}

/** Chooses among the plans that MongoDB would consider. Like MongoDB, runs each for a while to compare them. */
export function choosePlan(view: View, spec: QuerySpec, sort: readonly KeyField[]): Choice {
  if (!view.exists) return only({ kind: 'empty', sorted: true });
  const natural = naturalDirection(spec);
  if (natural !== undefined) {
    const sorted = sort.length === 0 || sort[0]?.path === '$natural';
    return only({ kind: 'collection', forward: natural === 1, sorted });
  }
  const hinted = hintedIndex(view, spec.hint);
  if (spec.ends !== undefined) return only(planRange(hinted, spec.ends, sort));
  const id = view.indexes.get('_id_');
  if (id !== undefined && isIdLookup(spec)) {
    return only(planIndex(id, constraintsOf(spec.filter, spec.environment), sort));
  }
  return mostProductive(view, spec, candidatePlans(view, spec, sort, hinted));
}

function only(plan: Plan): Choice {
  return { plan, rejected: [] };
}

/** Returns the direction of `$natural` in the hint or the sort. `$natural` asks for the order of insertion. */
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
