import type { Db } from 'mongodb';
import { NotFoundError } from '../errors.js';
import type { Collections } from '../mongo/collections.js';
import { serverTime } from '../mongo/server-time.js';
import { inItemTransaction } from './in-item-transaction.js';
import { withdrawJobs } from './withdraw-jobs.js';

/** Removes an item, and the jobs that it made ahead. @throws NotFoundError, and as `inItemTransaction` */
export async function removeItem(
  db: Db,
  { client, jobs, scheduler }: Collections,
  id: string,
): Promise<void> {
  await inItemTransaction(client, id, async (session) => {
    const now = await serverTime(db);
    const { deletedCount } = await scheduler.deleteOne({ _id: String(id) }, { session });
    if (deletedCount === 0) throw new NotFoundError('scheduler item', id);
    await withdrawJobs(jobs, { itemId: String(id), now }, session);
  });
}
