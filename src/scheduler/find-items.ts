import type { ClientSession, Collection } from 'mongodb';
import { NotFoundError } from '../errors.js';
import { byId } from '../mongo/by-index.js';
import { complete, type SchedulerItem, type SchedulerItemDocument, toSchedulerItem } from './item.js';
import { ourItem } from './scheduler-collection.js';

/** Returns the scheduler item with this id, or undefined. Foreign documents are not items. */
export async function findItem(
  scheduler: Collection<SchedulerItemDocument>,
  id: string,
): Promise<SchedulerItem | undefined> {
  const item = await scheduler.findOne({ ...ourItem, _id: String(id) }, byId);
  return item ? toSchedulerItem(complete(item)) : undefined;
}

/** Returns the stored scheduler item with this id. @throws NotFoundError */
export async function requireItem(
  scheduler: Collection<SchedulerItemDocument>,
  id: string,
  session?: ClientSession,
): Promise<SchedulerItemDocument> {
  const item = await scheduler.findOne(
    { ...ourItem, _id: String(id) },
    { ...(session && { session }), ...byId },
  );
  if (item) return complete(item);
  throw new NotFoundError('scheduler item', id);
}
