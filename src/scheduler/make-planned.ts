import type { ClientSession, Collection } from 'mongodb';
import { insertUnlessFound } from '../job/insert-job.js';
import type { JobDocument, Occurrence } from '../job/job.js';
import type { QueuedJob } from '../job/queued-job.js';
import { byId } from '../mongo/by-index.js';
import type { SchedulerItemDocument } from './item.js';
import type { PlannedItem } from './plan-items.js';
import { pointToFoundJobs } from './point-to-found-jobs.js';
import type { SchedulerCollections } from './scheduler-collection.js';

/** A job made for an occurrence. `runAt` is in milliseconds from the database's now. */
export type MadeJob = Required<QueuedJob> & { readonly id: string; readonly occurrence: Occurrence };

/**
 * Makes the planned jobs and advances their items, within a transaction. Returns the jobs that it made. An occurrence that
 * already had its job is not among them.
 *
 * @throws Error if an item has changed since it was read. Nothing is written then. Normally a write conflict comes first
 */
export async function makePlanned(
  { jobs, scheduler }: Pick<SchedulerCollections, 'jobs' | 'scheduler'>,
  planned: readonly PlannedItem[],
  session: ClientSession,
): Promise<MadeJob[]> {
  await advanceItems(scheduler, planned, session);
  const made = await insertJobs(jobs, planned, session);
  const jobIds = made.map(({ id }) => id);
  await pointToFoundJobs({ jobs, scheduler }, planned, jobIds, session);
  return made;
}

async function advanceItems(
  scheduler: Collection<SchedulerItemDocument>,
  planned: readonly PlannedItem[],
  session: ClientSession,
): Promise<void> {
  if (planned.length === 0) return;
  const updates = planned.map((plannedItem) => {
    const { _id, version, nextCallTime } = plannedItem.item;
    const filter = { _id, version, nextCallTime };
    return { updateOne: { filter, update: { $set: advanced(plannedItem) }, ...byId } };
  });
  const { matchedCount } = await scheduler.bulkWrite(updates, { session });
  if (matchedCount !== planned.length)
    throw new Error(`Of ${planned.length} scheduler items ${matchedCount} are as they were read.`);
}

/** Returns the changed fields of an advanced item. If no occurrence is left, the item has ended. */
function advanced({ item, plan, jobs }: PlannedItem): Partial<SchedulerItemDocument> {
  const last = jobs.at(-1);
  return {
    nextCallTime: plan.next,
    ...(plan.next === null && { active: false, ended: true }),
    ...(last && { lastCallTime: last.occurrence.at, lastJobId: last.id }),
    occurrences: item.occurrences + jobs.length,
    skipped: item.skipped + plan.skipped,
  };
}

/**
 * Inserts the jobs, except those whose occurrences already have one. A removed job would be made again. But a job that a person
 * cancelled ahead of time is not made again together with the withdrawn ones.
 */
async function insertJobs(
  jobs: Collection<JobDocument>,
  planned: readonly PlannedItem[],
  session: ClientSession,
): Promise<MadeJob[]> {
  const upserts = planned.flatMap((item) =>
    item.jobs.map((job) => ({
      updateOne: {
        filter: { 'occurrence.item': job.occurrence.item, 'occurrence.at': job.occurrence.at },
        update: insertUnlessFound(job),
        upsert: true,
      },
    })),
  );
  if (upserts.length === 0) return [];
  const { upsertedIds } = await jobs.bulkWrite(upserts, { session });
  const ids = new Set(Object.values(upsertedIds).map(String));
  return planned.flatMap(({ item, jobs: each }) =>
    each
      .filter(({ id }) => ids.has(id))
      .map(({ id, jobName, queue, runAt, occurrence }) => ({
        id,
        jobName,
        queue,
        occurrence,
        runAt: runAt.getTime() - item.now.getTime(),
      })),
  );
}
