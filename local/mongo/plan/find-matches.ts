import type { Doc } from '../bson/decode.js';
import { forgetPositions } from '../bson/path.js';
import { compileFilter } from '../query/evaluation.js';
import { ALL_FIELDS, fieldsOfFilter, together, topLevel } from '../query/fields-read.js';
import { sortPattern } from '../query/sort-pattern.js';
import { KeyMaker } from '../storage/index-keys.js';
import { decodeStored } from '../storage/stored.js';
import type { View } from '../storage/view.js';
import { choosePlan } from './choose-plan.js';
import type { Counters } from './counters.js';
import { isCountedByKeys } from './exact.js';
import type { Plan } from './plan.js';
import type { QuerySpec } from './query-spec.js';
import { recordsOf } from './records.js';

/** A document that matches. */
export interface Match {
  readonly id: number;
  /** The document with at least the fields that the query reads. */
  readonly doc: Doc;
  readonly stored: string;
}

/** A planned query with its plan, its cost so far, and its results. */
export interface PlannedQuery {
  readonly plan: Plan;
  /** The other plans that were considered. */
  readonly rejected: readonly Plan[];
  readonly counters: Counters;
  readonly matches: Generator<Match>;
}

/** Finds the documents that match, in the query's order, after `skip` and up to `limit`. */
export function findMatches(view: View, spec: QuerySpec): Generator<Match> {
  return planQuery(view, spec).matches;
}

/** Plans a query. Throws for an invalid filter, sort or hint. */
export function planQuery(view: View, spec: QuerySpec): PlannedQuery {
  const test = compileFilter(spec.filter, spec.environment);
  const sort = new KeyMaker(sortPattern(spec.sort));
  const { plan, rejected } = choosePlan(view, spec, sort.fields);
  const counters = { keys: 0, docs: 0 };
  const ids = recordsOf(view, plan, counters);
  const isCounted = spec.counted === true && isCountedByKeys(plan, spec.filter);
  const names = namesToDecode(spec, sort);
  const found = isCounted ? countKeys(ids, counters) : fetchMatching(view, ids, test, names, counters);
  return { plan, rejected, counters, matches: slice(plan.sorted ? found : inOrder(found, sort), spec) };
}

function namesToDecode(
  { read = ALL_FIELDS, filter }: QuerySpec,
  sort: KeyMaker,
): ReadonlySet<string> | undefined {
  const sorted = sort.fields.map(({ path }) => topLevel(path));
  const fields = read === ALL_FIELDS ? read : together(read, fieldsOfFilter(filter), sorted);
  return fields === ALL_FIELDS ? undefined : new Set(fields);
}

function* fetchMatching(
  view: View,
  ids: Iterable<number | undefined>,
  test: (doc: Doc) => boolean,
  names: ReadonlySet<string> | undefined,
  counters: Counters,
): Generator<Match> {
  for (const id of ids) {
    if (id === undefined) continue;
    const stored = view.get(id);
    if (stored === undefined) continue;
    counters.docs += 1;
    const doc = decodeStored(stored, names);
    forgetPositions();
    if (test(doc)) yield { id, doc, stored };
  }
}

/** Yields matches without their documents, because only their number matters. The end of the keys counts as a key, too. */
function* countKeys(ids: Iterable<number | undefined>, counters: Counters): Generator<Match> {
  for (const id of ids) if (id !== undefined) yield { id, doc: {}, stored: '' };
  counters.keys += 1;
}

function* inOrder(found: Iterable<Match>, keys: KeyMaker): Generator<Match> {
  const keyed = Array.from(found, (match) => ({ match, key: keys.sortKeyOf(match.doc) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  for (const { match } of keyed) yield match;
}

function* slice(found: Iterable<Match>, { skip, limit }: QuerySpec): Generator<Match> {
  let seen = 0;
  for (const match of found) {
    seen += 1;
    if (seen > skip) yield match;
    if (limit > 0 && seen >= skip + limit) return;
  }
}
