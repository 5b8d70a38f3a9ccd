import type { Collection, Filter } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { changeOrExplain } from './change-or-explain.js';
import { type InTree, treeFields } from './in-tree.js';
import { isSettled, type JobDocument } from './job.js';
import { ourJob } from './jobs-collection.js';
import { requestCancel } from './request-cancel.js';

/** A job after it was cancelled or asked to stop. `slots` are the places in limits that it held. */
export type Cancelled = Pick<JobDocument, 'status' | 'jobName' | 'limits' | 'slots'> & InTree;

const cancelledFields = { status: 1, jobName: 1, limits: 1, slots: 1, ...treeFields } as const;

/**
 * Cancels a queued job at once and asks a running one to stop. The signal of a running job fires within one heartbeat,
 * and its attempt ends as `cancelled` in any case.
 *
 * @returns the job with status `cancelled`, or `processing` when it was asked to stop
 * @throws NotFoundError, or ConflictError when the job is already settled
 */
export async function cancelJob(jobs: Collection<JobDocument>, id: string): Promise<Cancelled> {
  const unsettled: Filter<JobDocument> = {
    ...ourJob,
    _id: String(id),
    status: { $in: ['queued', 'processing'] },
  };
  const options = { returnDocument: 'after', projection: cancelledFields, ...byId } as const;
  return changeOrExplain(
    jobs,
    id,
    async () => (await jobs.findOneAndUpdate(unsettled, requestCancel(), options)) ?? undefined,
    ({ status }) =>
      isSettled(status)
        ? `Job '${id}' cannot be cancelled: it is settled already, with status '${status}'.`
        : undefined,
  );
}
