import type { Db } from 'mongodb';
import { changeAfterDue } from './change-after-due.js';
import type { JobMaker } from './job-making.js';
import type { SchedulerCollections } from './scheduler-collection.js';
import { withdrawJobs } from './withdraw-jobs.js';

/** Makes an item's due jobs, then removes it and the jobs that it made ahead. @throws errors as in `changeAfterDue` */
export async function removeItem(
  db: Db,
  collections: SchedulerCollections,
  maker: JobMaker,
  id: string,
): Promise<void> {
  const { jobs, scheduler } = collections;
  await changeAfterDue(db, collections, maker, id, {
    losesDue: () => true,
    write: async ({ _id: itemId }, now, session) => {
      await scheduler.deleteOne({ _id: itemId }, { session });
      await withdrawJobs(jobs, { itemId, now }, session);
    },
  });
}
