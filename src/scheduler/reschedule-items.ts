import type { AnyBulkWriteOperation, Db } from 'mongodb';
import { NotFoundError } from '../errors.js';
import type { Logger } from '../log.js';
import { byId } from '../mongo/by-index.js';
import type { Collections } from '../mongo/collections.js';
import { serverTime } from '../mongo/server-time.js';
import { activated } from './activate.js';
import { changeAfterDue } from './change-after-due.js';
import { complete, isNextOf, type SchedulerItemDocument } from './item.js';
import type { DefaultsOf } from './known-defaults.js';
import { scheduleDueItems } from './schedule-due-items.js';

/** Statements per write: well below MongoDB's limit, and small enough to keep one command short. */
const BATCH = 500;

/**
 * Recomputes an active item's next call from the database's now, once what is due is made, and returns it. Null for one that is not active, or
 * has no occurrence any more: it is not active then.
 *
 * @throws as `changeAfterDue`
 */
export async function rescheduleItem(
  db: Db,
  collections: Collections,
  defaultsOf: DefaultsOf,
  id: string,
): Promise<Date | null> {
  return changeAfterDue(db, collections, defaultsOf, id, {
    losesDue: (item, now) => !isNextOf(activated(item, now), item),
    write: async (item, now, session) => {
      if (!item.active) return null;
      const next = activated(item, now);
      await collections.scheduler.replaceOne(
        { _id: item._id },
        { ...next, ...(!next.active && { ended: true as const }) },
        { session, ignoreUndefined: true },
      );
      return next.nextCallTime;
    },
  });
}

/**
 * Recomputes the next call of all active items, and returns how many there are. What is due is made first.
 *
 * @throws as `inItemTransaction` for an item that is due and held by another transaction: the others are recomputed or not
 */
export async function rescheduleItems(
  db: Db,
  collections: Collections,
  defaultsOf: DefaultsOf,
  log: Logger,
): Promise<number> {
  const { scheduler } = collections;
  const everything = { aheadMs: 0, deadline: Number.POSITIVE_INFINITY };
  await scheduleDueItems(collections, defaultsOf, everything, log);
  const now = await serverTime(db);
  let batch: AnyBulkWriteOperation<SchedulerItemDocument>[] = [];
  let count = 0;
  for await (const document of scheduler.find({ active: true }, { sort: { _id: 1 } })) {
    const item = complete(document);
    count += 1;
    if (item.nextCallTime !== null && item.nextCallTime <= now)
      await rescheduleItem(db, collections, defaultsOf, item._id).catch(ignoreNotFound);
    else batch.push(toUpdate(item, activated(item, now)));
    if (batch.length < BATCH) continue;
    await scheduler.bulkWrite(batch, { ordered: false });
    batch = [];
  }
  if (batch.length > 0) await scheduler.bulkWrite(batch, { ordered: false });
  return count;
}

/** It was removed meanwhile. */
function ignoreNotFound(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error;
}

/** Conditional on what was read: an item that was changed meanwhile, or moved on, is left as it is. */
function toUpdate(
  { _id, version, nextCallTime: seen }: SchedulerItemDocument,
  { active, nextCallTime }: SchedulerItemDocument,
): AnyBulkWriteOperation<SchedulerItemDocument> {
  const filter = { _id, version, active: true, nextCallTime: seen };
  const update = { $set: { active, nextCallTime, ...(!active && { ended: true as const }) } };
  return { updateOne: { filter, update, ...byId } };
}
