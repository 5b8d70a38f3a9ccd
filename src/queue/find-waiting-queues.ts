import type { Collection } from 'mongodb';
import { claimableByQueue } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { isClaimable } from '../job/queued-jobs.js';
import { orIndexMissing } from '../mongo/index-missing.js';

/**
 * Returns the names of queues with queued jobs, due or not, in order. Begins after `after` and returns at most `limit`.
 *
 * Costs one command per queue. The command reads one key of the index, however many jobs wait there. It needs the hint, because
 * another index also begins with the queue. That index holds settled jobs too, so each command would read all jobs.
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
