import type { Collection, Filter } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { changeOrExplain } from './change-or-explain.js';
import { type FormerHolder, holderFields } from './former-holder.js';
import { isNotAhead } from './is-not-ahead.js';
import { isSettled, type JobDocument, settledStatuses } from './job.js';
import { ourJob } from './jobs-collection.js';

/**
 * Removes a settled job, and returns it. A job made ahead of its occurrence must stay until then. See remove-jobs.ts.
 *
 * @throws NotFoundError, or ConflictError if it is not settled or must stay
 */
export async function removeJob(
  jobs: Collection<JobDocument>,
  id: string,
): Promise<Pick<JobDocument, 'status' | 'steps'> & FormerHolder> {
  const removable: Filter<JobDocument> = {
    ...ourJob,
    _id: String(id),
    status: { $in: settledStatuses },
    group: { $exists: false },
    $expr: isNotAhead,
  };
  const options = { projection: { status: 1, ...holderFields, 'steps.children': 1 }, ...byId };
  let wasSettled = false;
  const removed = await changeOrExplain(
    jobs,
    id,
    async () => (await jobs.findOneAndDelete(removable, options)) ?? undefined,
    ({ status, occurrence, group }) => {
      if (!isSettled(status)) return `Job '${id}' cannot be removed: it is ${status}: cancel it first.`;
      if (group !== undefined)
        return `Job '${id}' cannot be removed: it belongs to '${group}', and is removed together with that.`;
      // The job may have settled, and its occurrence become due, since the first try. So a second try decides by the
      // database's clock.
      if (occurrence && wasSettled) return `Job '${id}' cannot be removed: its occurrence is still to come.`;
      wasSettled = true;
      return undefined;
    },
  );
  return removed;
}
