import type { AnyBulkWriteOperation, Collection, Db } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import type { Collections } from '../mongo/collections.js';
import { serverTime } from '../mongo/server-time.js';
import { activated } from './activate.js';
import { requireItem } from './find-items.js';
import { inItemTransaction } from './in-item-transaction.js';
import { complete, type SchedulerItemDocument } from './item.js';

/** Statements per write: well below MongoDB's limit, and small enough to keep one command short. */
const BATCH = 500;

/**
 * Recomputes an active item's next call from the database's now, and returns it. Null for one that is not active, or
 * has no occurrence any more: it is not active then.
 *
 * @throws NotFoundError, and as `inItemTransaction`
 */
export async function rescheduleItem(
  db: Db,
  { client, scheduler }: Collections,
  id: string,
): Promise<Date | null> {
  return inItemTransaction(client, id, async (session) => {
    const now = await serverTime(db);
    const item = await requireItem(scheduler, id, session);
    if (!item.active) return null;
    const rescheduled = activated(item, now);
    await scheduler.bulkWrite([toUpdate(item, rescheduled)], { session });
    return rescheduled.nextCallTime;
  });
}

/** Recomputes the next call of all active items, and returns how many there are. */
export async function rescheduleItems(db: Db, scheduler: Collection<SchedulerItemDocument>): Promise<number> {
  const now = await serverTime(db);
  let batch: AnyBulkWriteOperation<SchedulerItemDocument>[] = [];
  let count = 0;
  for await (const item of scheduler.find({ active: true }, { sort: { _id: 1 } })) {
    batch.push(toUpdate(item, activated(complete(item), now)));
    count += 1;
    if (batch.length < BATCH) continue;
    await scheduler.bulkWrite(batch, { ordered: false });
    batch = [];
  }
  if (batch.length > 0) await scheduler.bulkWrite(batch, { ordered: false });
  return count;
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
