import type { Db } from 'mongodb';
import type { JobDocument } from '../../src/job/job.js';
import { serverTime } from '../../src/mongo/server-time.js';
import type { SchedulerItemDocument } from '../../src/scheduler/item.js';
import { collectionNames } from '../collection-names.js';
import type { Effect, Evidence, Note, Run } from './evidence.js';

/** Leaves out a run that was killed before it was written down, of which only the abort was noted. */
const wasBegun = { job: { $exists: true } };

/** Reads what a run of the suite left in the database. */
export async function gatherEvidence(
  db: Db,
): Promise<Pick<Evidence, 'jobs' | 'runs' | 'notes' | 'effects' | 'items' | 'now'>> {
  const now = await serverTime(db);
  return {
    now,
    jobs: await db.collection<JobDocument>(collectionNames.jobs).find().toArray(),
    runs: await db.collection<Run>('ledger').find(wasBegun).toArray(),
    notes: await db.collection<Note>('notes').find().toArray(),
    effects: await db.collection<Effect>('effects').find().toArray(),
    items: await db.collection<SchedulerItemDocument>(collectionNames.scheduler).find().toArray(),
  };
}
