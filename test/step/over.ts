import type { Db } from 'mongodb';
import { collectionNames } from '../collection-names.js';

/** Lets what a job waits for be over: sleeps, timeouts and delays of retries. */
export async function endWaits(db: Db, id: string): Promise<void> {
  const past = new Date(1);
  const ended = { $mergeObjects: ['$$wait', { $cond: ['$$wait.until', { until: past }, {}] }] };
  const waits = { $map: { input: '$steps.waits', as: 'wait', in: ended } };
  await db
    .collection<{ _id: string }>(collectionNames.jobs)
    .updateOne({ _id: id, status: 'queued' }, [
      { $set: { runAt: past, 'steps.waits': { $cond: ['$steps.waits', waits, '$$REMOVE'] } } },
    ]);
}
