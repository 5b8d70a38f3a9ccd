import type { Collection, Filter } from 'mongodb';
import { ConflictError } from '../errors.js';
import { byId } from '../mongo/by-index.js';
import { requireJob } from './find-job.js';
import { type JobDocument, settledStatuses } from './job.js';

/**
 * Removes one settled job; one that was made ahead of its occurrence stays until then: see remove-jobs.ts.
 *
 * @throws NotFoundError, or ConflictError when it has to stay
 */
export async function removeJob(jobs: Collection<JobDocument>, id: string): Promise<void> {
  const removable: Filter<JobDocument> = {
    _id: String(id),
    status: { $in: settledStatuses },
    $expr: { $not: { $gt: ['$occurrence.at', '$$NOW'] } },
  };
  const { deletedCount } = await jobs.deleteOne(removable, byId);
  if (deletedCount === 1) return;
  const { status } = await requireJob(jobs, id);
  const isSettled = settledStatuses.some((settled) => settled === status);
  const reason = isSettled ? 'its occurrence is still to come' : `it is ${status}: cancel it first`;
  throw new ConflictError(id, `Job '${id}' cannot be removed: ${reason}.`);
}
