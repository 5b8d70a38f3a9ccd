import type { Collection } from 'mongodb';
import type { JobDocument } from '../job/job.js';
import { isClaimable } from '../job/queued-jobs.js';
import { orIndexMissing } from '../mongo/index-missing.js';
import { claimableByQueue } from '../mongo/indexes.js';

/**
 * The names of queues with queued jobs, also such as are not due, in their order: those after `after`, at most `limit`.
 *
 * One command per queue, that reads one key of the index, however many jobs wait in it. The index is named, because
 * another that begins with the queue holds the settled jobs too; without it each would look through all jobs.
 */
export async function findWaitingQueues(
  jobs: Collection<JobDocument>,
  { after = '', limit = Number.POSITIVE_INFINITY }: { readonly after?: string; readonly limit?: number } = {},
): Promise<string[]> {
  const names: string[] = [];
  let last = after;
  while (names.length < limit) {
    const next = await orIndexMissing(
      jobs.findOne<Pick<JobDocument, 'queue'>>(
        { ...isClaimable, queue: { $gt: last } },
        { sort: { queue: 1 }, projection: { _id: 0, queue: 1 }, hint: claimableByQueue.name },
      ),
    );
    if (next === null) break;
    names.push(next.queue);
    last = next.queue;
  }
  return names;
}
