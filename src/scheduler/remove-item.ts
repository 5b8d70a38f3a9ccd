import type { Collection } from 'mongodb';
import { NotFoundError } from '../errors.js';
import type { SchedulerItemDocument } from './item.js';

/** Removes a scheduler item; the jobs that it made stay. @throws NotFoundError */
export async function removeItem(scheduler: Collection<SchedulerItemDocument>, id: string): Promise<void> {
  const { deletedCount } = await scheduler.deleteOne({ _id: String(id) });
  if (deletedCount === 0) throw new NotFoundError('scheduler item', id);
}
