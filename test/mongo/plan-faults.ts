import type { Document } from 'mongodb';

/**
 * What makes a plan's cost grow with the collection: it reads all of it, all of an index, or sorts what it found. Or it
 * was one of several, by different indexes: another one may be taken for other values, and remembered for these.
 */
export type PlanFault = 'COLLSCAN' | 'whole index' | 'SORT' | 'competition';

/** What `explain` shows of the plan that was chosen; those that were not count only for the index that they go by. */
export function faultsOf(explained: unknown): Set<PlanFault> {
  const faults = new Set<PlanFault>();
  visit(explained, (document) => {
    if (document.stage === 'COLLSCAN') faults.add('COLLSCAN');
    if (document.stage === 'SORT' || '$sort' in document) faults.add('SORT');
    if (isWhole(document.indexBounds)) faults.add('whole index');
    if (hasCompetition(document)) faults.add('competition');
  });
  return faults;
}

function hasCompetition({ winningPlan, rejectedPlans = [] }: Document): boolean {
  const chosen = indexesIn(winningPlan);
  return indexesIn({ rejected: rejectedPlans }).some((index) => !chosen.includes(index));
}

function indexesIn(plan: unknown): string[] {
  const names: string[] = [];
  visit(plan, ({ indexName }) => {
    if (typeof indexName === 'string') names.push(indexName);
  });
  return names;
}

function visit(value: unknown, look: (document: Document) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) look(value);
  for (const [name, inner] of Object.entries(value)) {
    if (name !== 'rejectedPlans' && name !== 'command') visit(inner, look);
  }
}

/** Bounds are lists of intervals as texts, by the fields of the index; with `min` and `max` they are something else. */
function isWhole(bounds: unknown): boolean {
  if (typeof bounds !== 'object' || bounds === null) return false;
  return Object.values(bounds).every((intervals) => WHOLE.has(String(intervals)));
}

const WHOLE = new Set(['[MinKey, MaxKey]', '[MaxKey, MinKey]']);
