import type { ClientSession, Collection } from 'mongodb';
import { NotFoundError } from '../errors.js';
import { complete, type SchedulerItem, type SchedulerItemDocument, toSchedulerItem } from './item.js';

/** The scheduler item with this id, or undefined. */
export async function findItem(
  scheduler: Collection<SchedulerItemDocument>,
  id: string,
): Promise<SchedulerItem | undefined> {
  const item = await scheduler.findOne({ _id: String(id) });
  return item ? toSchedulerItem(complete(item)) : undefined;
}

/** The scheduler item with this id, as it is stored. @throws NotFoundError */
export async function requireItem(
  scheduler: Collection<SchedulerItemDocument>,
  id: string,
  session?: ClientSession,
): Promise<SchedulerItemDocument> {
  const item = await scheduler.findOne({ _id: String(id) }, { ...(session && { session }) });
  if (item) return complete(item);
  throw new NotFoundError('scheduler item', id);
}
