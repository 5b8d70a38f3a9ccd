import type { AnyBulkWriteOperation, Collection, Db } from 'mongodb';
import { serverTime } from '../mongo/server-time.js';
import { callTimeFrom } from './activate.js';
import { requireItem } from './find-items.js';
import type { SchedulerItemDocument } from './item.js';

/** Statements per write: well below MongoDB's limit, and small enough to keep one command short. */
const BATCH = 500;

/**
 * Recomputes an active item's next call from the database's now, and returns it; null, and nothing changed, for
 * one that is not active. @throws NotFoundError
 */
export async function rescheduleItem(
  db: Db,
  scheduler: Collection<SchedulerItemDocument>,
  id: string,
): Promise<Date | null> {
  const item = await requireItem(scheduler, id);
  if (!item.active) return null;
  const nextCallTime = callTimeFrom(item, await serverTime(db));
  await scheduler.bulkWrite([toUpdate(item, nextCallTime)]);
  return nextCallTime;
}

/** Recomputes the next call of all active items, and returns how many there are. */
export async function rescheduleItems(db: Db, scheduler: Collection<SchedulerItemDocument>): Promise<number> {
  const now = await serverTime(db);
  let batch: AnyBulkWriteOperation<SchedulerItemDocument>[] = [];
  let count = 0;
  for await (const item of scheduler.find({ active: true }, { sort: { _id: 1 } })) {
    batch.push(toUpdate(item, callTimeFrom(item, now)));
    count += 1;
    if (batch.length < BATCH) continue;
    await scheduler.bulkWrite(batch, { ordered: false });
    batch = [];
  }
  if (batch.length > 0) await scheduler.bulkWrite(batch, { ordered: false });
  return count;
}

/** Conditional on what it was computed from: an item that was changed meanwhile keeps its newer next call. */
function toUpdate(
  { _id, version, nextCallTime: seen }: SchedulerItemDocument,
  nextCallTime: Date | null,
): AnyBulkWriteOperation<SchedulerItemDocument> {
  const filter = { _id, version, active: true, nextCallTime: seen };
  return { updateOne: { filter, update: { $set: { nextCallTime, active: nextCallTime !== null } } } };
}
