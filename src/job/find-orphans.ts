import type { Collection } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { type JobDocument, settledStatuses } from './job.js';

/**
 * Returns the ids of the jobs among these whose parent has settled. Nobody waits for their results any more, so they are
 * not retried. Retrying the parent retries them. Costs nothing for jobs without a parent.
 */
export async function findOrphans(
  jobs: Collection<JobDocument>,
  among: readonly { readonly id: string; readonly parents?: readonly string[] }[],
): Promise<Set<string>> {
  const parentOf = new Map(
    among.flatMap(({ id, parents = [] }) => parents.slice(-1).map((parent) => [id, parent] as const)),
  );
  if (parentOf.size === 0) return new Set();
  const ids = [...new Set(parentOf.values())];
  const settled = { _id: { $in: ids }, status: { $in: [...settledStatuses] } };
  const found = await jobs
    .find(settled, { projection: { _id: 1 }, batchSize: ids.length + 1, ...byId })
    .toArray();
  const over = new Set(found.map(({ _id }) => _id));
  return new Set([...parentOf].filter(([, parent]) => over.has(parent)).map(([id]) => id));
}
