import type { Collection } from 'mongodb';
import { ConflictError } from '../errors.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import type { SchedulerItemDocument } from './item.js';

/** Writes a new scheduler item. @throws ConflictError when its id is taken */
export async function insertItem(
  scheduler: Collection<SchedulerItemDocument>,
  item: SchedulerItemDocument,
): Promise<void> {
  try {
    await scheduler.insertOne(item, { ignoreUndefined: true });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw new ConflictError(item._id, `There is a scheduler item with the id '${item._id}' already.`);
  }
}
