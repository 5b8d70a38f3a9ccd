import type { Db } from 'mongodb';
import { NotFoundError } from '../errors.js';
import type { Collections } from '../mongo/collections.js';
import { inTransaction } from '../mongo/in-transaction.js';
import { serverTime } from '../mongo/server-time.js';
import { withdrawJobs } from './withdraw-jobs.js';

/** Removes an item, and the jobs that it made ahead. @throws NotFoundError */
export async function removeItem(
  db: Db,
  { client, jobs, scheduler }: Collections,
  id: string,
): Promise<void> {
  const now = await serverTime(db);
  await inTransaction(client, async (session) => {
    const { deletedCount } = await scheduler.deleteOne({ _id: String(id) }, { session });
    if (deletedCount === 0) throw new NotFoundError('scheduler item', id);
    await withdrawJobs(jobs, { itemId: String(id), now }, session);
  });
}
