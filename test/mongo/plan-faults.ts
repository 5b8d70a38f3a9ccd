import type { Document } from 'mongodb';

/**
 * Reasons why a plan's cost grows with the collection: it reads all of it, all of an index, or sorts its results. With
 * `competition` there were plans by several indexes. MongoDB may choose another one for other values, and then reuse it
 * for these.
 */
export type PlanFault = 'COLLSCAN' | 'whole index' | 'SORT' | 'competition';

/** Returns the faults of the chosen plan in `explain`. Rejected plans count only as competition. */
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

/**
 * Returns whether bounds, lists of interval texts by field, cover a whole index. With `min` and `max` they have another
 * form.
 */
function isWhole(bounds: unknown): boolean {
  if (typeof bounds !== 'object' || bounds === null) return false;
  return Object.values(bounds).every((intervals) => WHOLE.has(String(intervals)));
}

const WHOLE = new Set(['[MinKey, MaxKey]', '[MaxKey, MinKey]']);
