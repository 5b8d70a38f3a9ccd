import type { JobDocument } from '../../../src/job/job.js';
import type { Evidence, Violation } from '../evidence.js';
import { groupBy } from '../group-by.js';

/** Checks that no two unsettled jobs of the same name held the same unique key at once. */
export function oneJobPerUniqueKey({ jobs }: Evidence): Violation[] {
  const byKey = groupBy(jobs, keyOf);
  return [...byKey].flatMap(([key, sharing]) => (key === undefined ? [] : overlapping(key, sharing)));
}

function keyOf({ jobName, uniqueKey, freedUniqueKey }: JobDocument): string | undefined {
  const key = uniqueKey ?? freedUniqueKey;
  return key === undefined ? undefined : `${jobName}/${key}`;
}

function overlapping(key: string, jobs: readonly JobDocument[]): Violation[] {
  const inOrder = jobs.toSorted((a, b) => a.created.getTime() - b.created.getTime());
  return inOrder.flatMap((job, index) => {
    const next = inOrder[index + 1];
    if (next === undefined || (job.completed !== undefined && job.completed <= next.created)) return [];
    return { rule: 'unique key', message: `Two jobs had the key ${key} at once.`, documents: [job, next] };
  });
}
