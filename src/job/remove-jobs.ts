import type { Collection, Document, FindOptions } from 'mongodb';
import { byId, byIndex } from '../mongo/by-index.js';
import { ELECTION_MS } from '../mongo/election.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { byCreated, byUnsuccessful } from './indexes.js';
import { isNotAhead } from './is-not-ahead.js';
import type { JobDocument, SettledStatus } from './job.js';
import { ourJob } from './jobs-collection.js';

/** How many jobs were removed, per status asked for; `more` when it had to stop before all were. */
export type RemovedCounts = Partial<Record<SettledStatus, number>> & { readonly more?: true };

/** Which jobs, and for how long to go on. */
export interface Removal {
  readonly statuses: readonly SettledStatus[];
  /** Only those that settled at least so long ago, by the database's clock. */
  readonly olderThanMs?: number | undefined;
  /** No batch begins once this is true. */
  readonly mustStop: () => boolean;
}

/** Per command: each is short, and holds up no other write for long. */
const BATCH = 1000;

/**
 * Removes settled jobs, the oldest first, batch by batch; each status is walked by an index that begins with `created`, or
 * with `status` and `created`. A batch is tried again when it meets another write, or the database cannot be reached: how
 * many it had removed by then is not known, and not counted.
 *
 * A job that a scheduler item made may be removed like any other once its occurrence was due: the job and its item's
 * advance are one transaction (fire-due-items.ts), and no item goes back to what was due (withdraw-jobs.ts). One that
 * was made ahead, and settled before its time, stays until then: the item may come to that occurrence again.
 */
export async function removeJobs(
  jobs: Collection<JobDocument>,
  { statuses, olderThanMs, mustStop }: Removal,
): Promise<RemovedCounts> {
  const counts: Partial<Record<SettledStatus, number>> = {};
  for (const status of new Set(statuses)) {
    let from = new Date(0);
    counts[status] = 0;
    for (;;) {
      if (mustStop()) return { ...counts, more: true };
      const batch = await removeBatch(jobs, status, olderThanMs, from);
      counts[status] += batch.removed;
      if (batch.last === undefined) break;
      from = batch.last;
    }
  }
  return counts;
}

const oldestFirst: FindOptions = {
  sort: { created: 1, _id: 1 },
  limit: BATCH,
  batchSize: BATCH + 1,
  projection: { created: 1 },
};

/** `last`: when the last job of a full batch was created; there may be more from then on. */
async function removeBatch(
  jobs: Collection<JobDocument>,
  status: SettledStatus,
  olderThanMs: number | undefined,
  from: Date,
): Promise<{ readonly removed: number; readonly last: Date | undefined }> {
  const $expr = isRemovable(olderThanMs);
  return retryWhileUnreachable(ELECTION_MS, async () => {
    const found = await byIndex(jobs, status === 'completed' ? byCreated : byUnsuccessful, (hint) =>
      jobs.find({ ...ourJob, status, created: { $gte: from }, $expr }, { ...oldestFirst, ...hint }).toArray(),
    );
    if (found.length === 0) return { removed: 0, last: undefined };
    const ids = found.map(({ _id }) => _id);
    // Somebody may have retried one of them since.
    const { deletedCount } = await jobs.deleteMany({ ...ourJob, _id: { $in: ids }, status, $expr }, byId);
    return { removed: deletedCount, last: found[BATCH - 1]?.created };
  });
}

/** No job settled before it was created, which is what the indexes know. */
function isRemovable(olderThanMs: number | undefined): Document {
  if (olderThanMs === undefined) return isNotAhead;
  const until = { $subtract: ['$$NOW', olderThanMs] };
  return { $and: [{ $lte: ['$created', until] }, { $lte: ['$completed', until] }, isNotAhead] };
}
