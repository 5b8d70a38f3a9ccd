import type { ClientSession, Db } from 'mongodb';
import { NotFoundError } from '../errors.js';
import type { Collections } from '../mongo/collections.js';
import { serverTime } from '../mongo/server-time.js';
import { type SchedulerItem, type SchedulerItemDocument, toSchedulerItem } from './item.js';
import { withdrawJobs } from './withdraw-jobs.js';

/**
 * Changes an item as `change` says, and withdraws the jobs that it made ahead: they are made again, if they still are
 * to be. One transaction: a tick that is under way comes before or after it as a whole, never in between.
 *
 * @param change from the item as it would be had nothing been made ahead, and the database's now; undefined when
 *   nothing is to be changed. May be called several times, and throw
 * @returns the item as it is now
 * @throws NotFoundError, and what `change` throws; nothing is changed then
 */
export async function changeItem(
  db: Db,
  collections: Collections,
  id: string,
  change: (item: SchedulerItemDocument, now: Date) => SchedulerItemDocument | undefined,
): Promise<SchedulerItem> {
  const { client, scheduler } = collections;
  const now = await serverTime(db);
  return client.withSession((session) =>
    session.withTransaction(async () => {
      const item = await scheduler.findOne({ _id: String(id) }, { session });
      if (item === null) throw new NotFoundError('scheduler item', id);
      const unmade = await withdraw(collections, item, now, session);
      const changed = change(unmade ?? item, now);
      if (changed === undefined) {
        await session.abortTransaction();
        return toSchedulerItem(item);
      }
      const next: SchedulerItemDocument = { ...changed, version: item.version + 1 };
      await scheduler.replaceOne({ _id: item._id }, next, { session, ignoreUndefined: true });
      return toSchedulerItem(next);
    }),
  );
}

/** Removes an item, and the jobs that it made ahead. @throws NotFoundError */
export async function removeItem(db: Db, collections: Collections, id: string): Promise<void> {
  const { client, jobs, scheduler } = collections;
  const now = await serverTime(db);
  await client.withSession((session) =>
    session.withTransaction(async () => {
      const { deletedCount } = await scheduler.deleteOne({ _id: String(id) }, { session });
      if (deletedCount === 0) throw new NotFoundError('scheduler item', id);
      await withdrawJobs(jobs, String(id), now, session);
    }),
  );
}

/** The item as it would be had nothing been made ahead; undefined when nothing was. */
async function withdraw(
  { jobs }: Collections,
  item: SchedulerItemDocument,
  now: Date,
  session: ClientSession,
): Promise<SchedulerItemDocument | undefined> {
  if (item.lastCallTime === null || item.lastCallTime <= now) return undefined;
  const withdrawn = await withdrawJobs(jobs, item._id, now, session);
  if (withdrawn === undefined) return undefined;
  const { lastJobId: _, ...rest } = item;
  const { count, first, last } = withdrawn;
  return {
    ...rest,
    active: true, // Its last occurrence may have been made ahead: then it ended before its time.
    nextCallTime: first,
    lastCallTime: last?.at ?? null,
    ...(last && { lastJobId: last.jobId }),
    occurrences: item.occurrences - count,
  };
}
