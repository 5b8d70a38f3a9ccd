import type { ClientSession, Db } from 'mongodb';
import { changeAfterDue } from './change-after-due.js';
import { isNextOf, type SchedulerItem, type SchedulerItemDocument, toSchedulerItem } from './item.js';
import type { JobMaker } from './job-making.js';
import { nextCallTime } from './next-call-time.js';
import type { SchedulerCollections } from './scheduler-collection.js';
import { type Withdrawn, withdrawJobs } from './withdraw-jobs.js';

/**
 * Changes an item by `change`. First makes due jobs that the change would lose (see `changeAfterDue`). Withdraws the jobs that
 * were made ahead. The changed item makes them again if they still fall due.
 *
 * @param change receives the item as if nothing had been made ahead, and the database's now. Returns undefined to change
 * nothing. May throw, and may be called several times
 * @returns the item as it is now
 * @throws NotFoundError, any error of `change`, and errors as in `inItemTransaction`. Nothing is changed then
 */
export async function changeItem(
  db: Db,
  collections: SchedulerCollections,
  maker: JobMaker,
  id: string,
  change: (item: SchedulerItemDocument, now: Date) => SchedulerItemDocument | undefined,
): Promise<SchedulerItem> {
  return changeAfterDue(db, collections, maker, id, {
    losesDue: (item, now) => {
      const changed = change(item, now);
      return changed !== undefined && !isNextOf(changed, item);
    },
    write: async (item, now, session) => {
      const changed = change(await withdraw(collections, item, now, session), now);
      if (changed === undefined) {
        await session.abortTransaction();
        return toSchedulerItem(item);
      }
      const next: SchedulerItemDocument = { ...changed, version: item.version + 1 };
      await collections.scheduler.replaceOne({ _id: item._id }, next, { session, ignoreUndefined: true });
      return toSchedulerItem(next);
    },
  });
}

/** Withdraws the item's jobs, and returns the item as if nothing had been made ahead. */
async function withdraw(
  { jobs }: SchedulerCollections,
  item: SchedulerItemDocument,
  now: Date,
  session: ClientSession,
): Promise<SchedulerItemDocument> {
  if (item.lastCallTime === null || item.lastCallTime <= now) return item;
  const withdrawn = await withdrawJobs(jobs, { itemId: item._id, now, until: item.lastCallTime }, session);
  if (withdrawn === undefined) return item;
  const { lastJobId: _, ended, ...rest } = item;
  const { made, first, previous, previousJobId } = withdrawn;
  return {
    ...rest,
    active: item.active || ended === true,
    nextCallTime: first,
    lastCallTime: previous,
    ...(previousJobId !== undefined && { lastJobId: previousJobId }),
    occurrences: item.occurrences - countOccurrences(item, made),
  };
}

/**
 * Returns how many of these occurrences the item has moved past. A job that a person began or cancelled may belong to the
 * item's former times. Such a job counts only if its occurrence follows the one before.
 */
function countOccurrences(item: SchedulerItemDocument, made: Withdrawn['made']): number {
  let last: Date | undefined;
  let count = 0;
  for (const { at, isWithdrawn } of made) {
    if (!isWithdrawn && last && nextCallTime(item, last)?.getTime() !== at.getTime()) continue;
    last = at;
    count += 1;
  }
  return count;
}
