import type { Collection } from 'mongodb';
import { NotFoundError } from '../errors.js';
import { type SchedulerItem, type SchedulerItemDocument, toSchedulerItem } from './item.js';

/** All scheduler items, in the order of their ids. */
export async function findItems(scheduler: Collection<SchedulerItemDocument>): Promise<SchedulerItem[]> {
  return (await scheduler.find({}, { sort: { _id: 1 } }).toArray()).map(toSchedulerItem);
}

/** The scheduler item with this id, or undefined. */
export async function findItem(
  scheduler: Collection<SchedulerItemDocument>,
  id: string,
): Promise<SchedulerItem | undefined> {
  const item = await scheduler.findOne({ _id: String(id) });
  return item ? toSchedulerItem(item) : undefined;
}

/** The scheduler item with this id. @throws NotFoundError */
export async function requireItem(
  scheduler: Collection<SchedulerItemDocument>,
  id: string,
): Promise<SchedulerItemDocument> {
  const item = await scheduler.findOne({ _id: String(id) });
  if (item) return item;
  throw new NotFoundError('scheduler item', id);
}
