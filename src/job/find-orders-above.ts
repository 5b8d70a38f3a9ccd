import type { Collection } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { isOrder, type JobLimit } from './flow-rules.js';
import type { JobDocument } from './job.js';

/**
 * Finds strict orders in which a job above new children holds the place that a child needs. Returns these jobs by the keys
 * of the orders. Such a job keeps its place while it waits for the child, so both would wait for ever. Costs nothing for
 * children without a strict order.
 *
 * @param parents ids of the jobs above the children
 */
export async function findOrdersAbove(
  jobs: Collection<JobDocument>,
  parents: readonly string[],
  children: readonly { readonly limits?: readonly JobLimit[] | undefined }[],
): Promise<ReadonlyMap<string, string>> {
  const orders = new Set(children.flatMap(({ limits = [] }) => limits.map(({ key }) => key).filter(isOrder)));
  if (orders.size === 0) return new Map();
  const holders = { _id: { $in: [...parents] }, slots: { $exists: true } };
  const options = { projection: { slots: 1 }, batchSize: parents.length + 1, ...byId } as const;
  const found = await jobs.find(holders, options).toArray();
  const held = found.flatMap(({ _id, slots = [] }) => slots.map(({ key }) => [key, _id] as const));
  return new Map(held.filter(([key]) => orders.has(key)));
}
