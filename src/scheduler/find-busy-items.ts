import type { ClientSession, Collection } from 'mongodb';
import type { JobDocument } from '../job/job.js';
import { byId } from '../mongo/by-index.js';
import type { SchedulerItemDocument } from './item.js';

/** Returns the ids of items that must not overlap and whose last job is not settled. */
export async function findBusyItems(
  jobs: Collection<JobDocument>,
  items: readonly SchedulerItemDocument[],
  session: ClientSession,
): Promise<ReadonlySet<string>> {
  const exclusive = items.filter(({ overlap, lastJobId }) => overlap === 'skip' && lastJobId !== undefined);
  if (exclusive.length === 0) return new Set();
  const jobIds = exclusive.flatMap(({ lastJobId = [] }) => lastJobId);
  const unsettled = await jobs
    .find(
      { _id: { $in: jobIds }, status: { $in: ['queued', 'processing'] } },
      { session, projection: { _id: 1 }, ...byId },
    )
    .toArray();
  const isUnsettled = new Set(unsettled.map(({ _id }) => _id));
  return new Set(exclusive.filter(({ lastJobId = '' }) => isUnsettled.has(lastJobId)).map(({ _id }) => _id));
}
