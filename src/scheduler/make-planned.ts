import type { ClientSession } from 'mongodb';
import { insertUnlessFound } from '../job/insert-job.js';
import type { Occurrence } from '../job/job.js';
import type { QueuedJob } from '../job/queued-job.js';
import { byId } from '../mongo/by-index.js';
import type { Collections } from '../mongo/collections.js';
import type { SchedulerItemDocument } from './item.js';
import type { PlannedItem } from './plan-items.js';
import { pointToFoundJobs } from './point-to-found-jobs.js';

/** The job of an occurrence that was made. Its `runAt` is in milliseconds from the database's now. */
export type MadeJob = Required<QueuedJob> & { readonly id: string; readonly occurrence: Occurrence };

/**
 * Makes the jobs that are planned and moves their items on, within a transaction, and returns the jobs. An
 * occurrence that has its job already makes none.
 *
 * @throws Error when an item is not as it was read: nothing is written then. There is a write conflict before.
 */
export async function makePlanned(
  { jobs, scheduler }: Pick<Collections, 'jobs' | 'scheduler'>,
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
  scheduler: Collections['scheduler'],
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

/** An item that has no occurrence any more has ended. */
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
 * Written under the key of the occurrence. That alone would not be enough, for a job may be removed; it is what
 * keeps a job that a person cancelled ahead of its time from being made again with those that were withdrawn.
 */
async function insertJobs(
  jobs: Collections['jobs'],
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
