import { partOffsets } from '../storage/key-parts.js';
import { recordOf } from '../storage/key-string.js';
import type { View } from '../storage/view.js';
import type { Counters } from './counters.js';
import { scanIndex } from './index-scan.js';
import type { IndexPlan, Plan, UnionPlan } from './plan.js';

/** Returns the record numbers that a plan finds, each once. `undefined` stands for a key without a record. */
export function recordsOf(view: View, plan: Plan, counters: Counters): Iterable<number | undefined> {
  if (plan.kind === 'index') return indexed(view, plan, counters);
  if (plan.kind === 'union') return union(view, plan, counters);
  if (plan.kind === 'empty') return [];
  return plan.forward ? view.ids() : [...view.ids()].reverse();
}

function* union(view: View, { branches }: UnionPlan, counters: Counters): Generator<number | undefined> {
  const seen = new Set<number>();
  for (const branch of branches) {
    for (const id of indexed(view, branch, counters)) {
      if (id !== undefined && seen.has(id)) continue;
      if (id !== undefined) seen.add(id);
      yield id;
    }
  }
}

function* indexed(view: View, plan: IndexPlan, counters: Counters): Generator<number | undefined> {
  const scans = plan.scans.map((bounds) =>
    scanIndex(
      view.cursor(plan.index, plan.forward),
      bounds,
      plan.index.keys.directions,
      plan.forward,
      counters,
      plan.range,
    ),
  );
  const [only] = scans;
  const keys = scans.length === 1 && only ? only : merge(scans, plan);
  const seen = plan.index.multikeyFields.size > 0 ? new Set<number>() : undefined;
  for (const key of keys) {
    const id = key === undefined ? undefined : recordOf(key);
    if (id !== undefined) {
      if (seen?.has(id)) continue;
      seen?.add(id);
    }
    yield id;
  }
}

/** Merges scans, each of which is in the order of the fields from `mergeFrom` on. */
function* merge(scans: readonly Generator<string | undefined>[], plan: IndexPlan): Generator<string> {
  const next = (scan: Generator<string | undefined>) => {
    let { value, done } = scan.next();
    while (!done && value === undefined) ({ value, done } = scan.next());
    return done || value === undefined ? undefined : { scan, key: value, order: orderingPart(value, plan) };
  };
  let heads = scans.map(next).filter((head) => head !== undefined);
  while (heads.length > 0) {
    const first = heads.reduce((best, head) =>
      head.order < best.order === plan.forward && head.order !== best.order ? head : best,
    );
    yield first.key;
    const following = next(first.scan);
    heads = heads.flatMap((head) => (head === first ? (following ?? []) : head));
  }
}

function orderingPart(key: string, { index, mergeFrom }: IndexPlan): string {
  return key.slice(partOffsets(key, index.keys.directions)[mergeFrom] ?? 0);
}
