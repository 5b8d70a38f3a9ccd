import type { Collection, Filter } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { changeOrExplain } from './change-or-explain.js';
import { isNotAhead } from './is-not-ahead.js';
import { isSettled, type JobDocument, settledStatuses } from './job.js';
import { ourJob } from './jobs-collection.js';

/**
 * Removes one settled job; one that was made ahead of its occurrence stays until then: see remove-jobs.ts.
 *
 * @throws NotFoundError, or ConflictError when it has to stay
 */
export async function removeJob(jobs: Collection<JobDocument>, id: string): Promise<void> {
  const removable: Filter<JobDocument> = {
    ...ourJob,
    _id: String(id),
    status: { $in: settledStatuses },
    $expr: isNotAhead,
  };
  let wasSettled = false;
  await changeOrExplain(
    jobs,
    id,
    async () => (await jobs.deleteOne(removable, byId)).deletedCount || undefined,
    ({ status, occurrence }) => {
      if (!isSettled(status)) return `Job '${id}' cannot be removed: it is ${status}: cancel it first.`;
      // It may have been settled, and its occurrence have come, since the first try: the database's clock tells, by a second.
      if (occurrence && wasSettled) return `Job '${id}' cannot be removed: its occurrence is still to come.`;
      wasSettled = true;
      return undefined;
    },
  );
}
