import type { Collection, Filter } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { changeOrExplain } from './change-or-explain.js';
import { requestCancel } from './end-attempt.js';
import { isSettled, type JobDocument, type JobStatus } from './job.js';
import { ourJob } from './jobs-collection.js';

/**
 * Cancels a queued job at once and asks a running one to stop. The signal of a running job fires within one heartbeat,
 * and its attempt ends as `cancelled` in any case.
 *
 * @returns `cancelled`, or `processing` when the job was asked to stop
 * @throws NotFoundError, or ConflictError when the job is already settled
 */
export async function cancelJob(jobs: Collection<JobDocument>, id: string): Promise<JobStatus> {
  const unsettled: Filter<JobDocument> = {
    ...ourJob,
    _id: String(id),
    status: { $in: ['queued', 'processing'] },
  };
  const options = { returnDocument: 'after', projection: { status: 1 }, ...byId } as const;
  return changeOrExplain(
    jobs,
    id,
    async () => (await jobs.findOneAndUpdate(unsettled, requestCancel(), options))?.status,
    ({ status }) =>
      isSettled(status)
        ? `Job '${id}' cannot be cancelled: it is settled already, with status '${status}'.`
        : undefined,
  );
}
