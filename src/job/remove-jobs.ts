import type { Collection, Document, FindOptions } from 'mongodb';
import { byId, byIndex } from '../mongo/by-index.js';
import { ELECTION_MS } from '../mongo/election.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { type FormerHolder, holderFields } from './former-holder.js';
import { byCreated, byEnd } from './indexes.js';
import { isNotAhead } from './is-not-ahead.js';
import type { JobDocument, SettledStatus } from './job.js';
import { ourJob } from './jobs-collection.js';

/** How many jobs were removed, by requested status. `more` is set if removal stopped early. */
export type RemovedCounts = Partial<Record<SettledStatus, number>> & { readonly more?: true };

/** Which jobs to remove, and when to stop. */
export interface Removal {
  readonly statuses: readonly SettledStatus[];
  /** Leaves jobs that settled more recently, by the database's clock. */
  readonly olderThanMs?: number | undefined;
  /** No batch begins once this returns true. */
  readonly mustStop: () => boolean;
  /** Called with the removed jobs that held up strict orders. */
  readonly onFreed: (jobs: readonly FormerHolder[]) => Promise<void>;
}

/** Jobs per command. Keeps each command short, so that no other write is held up for long. */
const BATCH = 1000;

/**
 * Removes settled jobs in batches, oldest first. Completed jobs are walked by the index on `created`, others by that on
 * `status` and `completed`. A batch is repeated after a conflict with another write, or if the database cannot be
 * reached. The number removed by the failed try is unknown and not counted.
 *
 * A job made by a scheduler item may be removed like any other once its occurrence was due. The job was made in the
 * same transaction that advanced its item (fire-due-items.ts), and no item goes back to a moment that was due
 * (withdraw-jobs.ts). A job that was made ahead and settled early must stay until its occurrence, because the item may
 * reach that occurrence again.
 */
export async function removeJobs(
  jobs: Collection<JobDocument>,
  { statuses, olderThanMs, mustStop, onFreed }: Removal,
): Promise<RemovedCounts> {
  const counts: Partial<Record<SettledStatus, number>> = {};
  for (const status of new Set(statuses)) {
    let from = new Date(0);
    counts[status] = 0;
    for (;;) {
      if (mustStop()) return { ...counts, more: true };
      const batch = await removeBatch(jobs, status, olderThanMs, from);
      counts[status] += batch.removed;
      if (batch.stopped.length > 0) await onFreed(batch.stopped);
      if (batch.last === undefined) break;
      from = batch.last;
    }
  }
  return counts;
}

const oneBatch: FindOptions = { limit: BATCH, batchSize: BATCH + 1 };

/** A job of a group is removed together with it. */
const ofNoGroup = { group: { $exists: false } };

/** Removes a batch. `last` is the time of the last job of a full batch, after which more may follow. */
async function removeBatch(
  jobs: Collection<JobDocument>,
  status: SettledStatus,
  olderThanMs: number | undefined,
  from: Date,
): Promise<{
  readonly removed: number;
  readonly last: Date | undefined;
  readonly stopped: readonly FormerHolder[];
}> {
  const $expr = isRemovable(olderThanMs);
  const [index, time] =
    status === 'completed' ? ([byCreated, 'created'] as const) : ([byEnd, 'completed'] as const);
  const projection = { [time]: 1, ...(status === 'error' && holderFields) };
  const options: FindOptions = { ...oneBatch, sort: { [time]: 1, _id: 1 }, projection };
  return retryWhileUnreachable(ELECTION_MS, async () => {
    const found = await byIndex(jobs, index, (hint) =>
      jobs
        .find({ ...ourJob, status, [time]: { $gte: from }, ...ofNoGroup, $expr }, { ...options, ...hint })
        .toArray(),
    );
    if (found.length === 0) return { removed: 0, last: undefined, stopped: [] };
    const ids = found.map(({ _id }) => _id);
    // A person may have retried a job since.
    const { deletedCount } = await jobs.deleteMany({ ...ourJob, _id: { $in: ids }, status, $expr }, byId);
    // Without limits, a job has no such field.
    const stopped = found.filter(({ slots }) => slots !== undefined);
    return { removed: deletedCount, last: found[BATCH - 1]?.[time], stopped };
  });
}

/**
 * Returns the condition for removal. A condition on `created`, which the indexes hold, bounds the scan, since no job
 * settles before it is created.
 */
function isRemovable(olderThanMs: number | undefined): Document {
  if (olderThanMs === undefined) return isNotAhead;
  const until = { $subtract: ['$$NOW', olderThanMs] };
  return { $and: [{ $lte: ['$created', until] }, { $lte: ['$completed', until] }, isNotAhead] };
}
