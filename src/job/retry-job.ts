import type { Collection } from 'mongodb';
import { ConflictError } from '../errors.js';
import { byId } from '../mongo/by-index.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { requireJob } from './find-job.js';
import type { JobDocument } from './job.js';

/**
 * Queues a job again that ended in `error` or `cancelled`: a person's decision. Its counter and its errors are kept,
 * `maxRetries` goes up by one, and its unique key is taken again.
 *
 * @throws NotFoundError; ConflictError when it is not settled so, or when its unique key is taken by now; nothing was
 *   changed then
 */
export async function retryJob(jobs: Collection<JobDocument>, id: string): Promise<void> {
  try {
    const { matchedCount } = await jobs.updateOne(
      { _id: String(id), status: { $in: ['error', 'cancelled'] } },
      [
        {
          $set: {
            status: 'queued',
            queued: '$$NOW',
            runAt: '$$NOW',
            maxRetries: { $add: ['$maxRetries', 1] },
            uniqueKey: { $ifNull: ['$freedUniqueKey', '$$REMOVE'] },
          },
        },
        {
          $unset: [
            'completed',
            'cancelRequested',
            'expireAt',
            'freedUniqueKey',
            'unfinishedCounter',
            'progress',
          ],
        },
      ],
      byId,
    );
    if (matchedCount === 1) return;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw new ConflictError(id, `Job '${id}' cannot be retried: another job has its unique key by now.`);
  }
  const { status } = await requireJob(jobs, id);
  throw new ConflictError(
    id,
    `Job '${id}' cannot be retried: only 'error' and 'cancelled' jobs can, and its status is '${status}'.`,
  );
}
