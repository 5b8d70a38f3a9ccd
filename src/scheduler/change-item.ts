import type { ClientSession, Db } from 'mongodb';
import type { Collections } from '../mongo/collections.js';
import { changeAfterDue } from './change-after-due.js';
import { isNextOf, type SchedulerItem, type SchedulerItemDocument, toSchedulerItem } from './item.js';
import type { JobMaker } from './job-making.js';
import { nextCallTime } from './next-call-time.js';
import { type Withdrawn, withdrawJobs } from './withdraw-jobs.js';

/**
 * Changes an item as `change` says, once what it would lose is made, as `changeAfterDue` does. Withdraws the jobs that it
 * made ahead: they are made again, if they still are to be.
 *
 * @param change from the item as it would be had nothing been made ahead, and the database's now; undefined when
 *   nothing is to be changed. May be called several times, and throw
 * @returns the item as it is now
 * @throws NotFoundError, what `change` throws, and as `inItemTransaction`; nothing is changed then
 */
export async function changeItem(
  db: Db,
  collections: Collections,
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

/** Withdraws its jobs, and gives the item as it would be had nothing been made ahead. */
async function withdraw(
  { jobs }: Collections,
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
 * How many of them the item has moved past. A job that a person had begun or cancelled may be older than the times it has
 * now; it is one of the item's occurrences when it follows the one before.
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
