import type { Collection, Filter } from 'mongodb';
import { ConflictError } from '../errors.js';
import { byId } from '../mongo/by-index.js';
import { requestCancel } from './end-attempt.js';
import { requireJob } from './find-job.js';
import type { JobDocument, JobStatus } from './job.js';

/**
 * Cancels a queued job at once, and asks a running one to stop: its signal fires within one heartbeat, and
 * however its attempt ends, it ends `cancelled`.
 *
 * @returns `cancelled`, or `processing` when the job was asked to stop
 * @throws NotFoundError, or ConflictError when the job is settled already
 */
export async function cancelJob(jobs: Collection<JobDocument>, id: string): Promise<JobStatus> {
  const unsettled: Filter<JobDocument> = { _id: String(id), status: { $in: ['queued', 'processing'] } };
  const after = await jobs.findOneAndUpdate(unsettled, requestCancel(), {
    returnDocument: 'after',
    projection: { status: 1 },
    ...byId,
  });
  if (after) return after.status;
  const { status } = await requireJob(jobs, id);
  throw new ConflictError(
    id,
    `Job '${id}' cannot be cancelled: it is settled already, with status '${status}'.`,
  );
}
