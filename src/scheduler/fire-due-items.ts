import { type ClientSession, type Filter, ObjectId } from 'mongodb';
import { insertUnlessFound, type NewJob } from '../job/insert-job.js';
import type { Occurrence } from '../job/job.js';
import { type JobDefaults, jobDefaultsSchema } from '../job/job-options.js';
import type { Collections } from '../mongo/collections.js';
import type { SchedulerItemDocument } from './item.js';
import { followingCallTime } from './next-call-time.js';

/** Defaults of the jobs that items make, by job name. */
export type DefaultsOf = (jobNames: readonly string[]) => Promise<ReadonlyMap<string, JobDefaults>>;

/** What was done. An item whose occurrence has its job already is moved on, and makes none. */
export interface Fired {
  readonly items: number;
  readonly jobIds: readonly string[];
}

const nothing: Fired = { items: 0, jobIds: [] };

type DueItem = SchedulerItemDocument & { readonly nextCallTime: Date; readonly now: Date };
type OccurrenceJob = NewJob & { readonly occurrence: Occurrence };

/**
 * Makes the jobs of up to `limit` due items, oldest first, and moves the items on.
 *
 * Exactly one job per occurrence: a job and its item's advance are one transaction. A scheduler that is killed
 * leaves both or neither, and one that was paused with an outdated view finds that its advance matches nothing.
 * When two schedulers meet, one of them has a write conflict, and the driver runs its transaction again.
 */
export async function fireDueItems(
  { client, jobs, scheduler }: Collections,
  defaultsOf: DefaultsOf,
  limit: number,
): Promise<Fired> {
  if ((await scheduler.findOne(isDue, { projection: { _id: 1 } })) === null) return nothing;
  return client.withSession((session) =>
    session.withTransaction(async () => {
      const items = await findDueItems(scheduler, limit, session);
      if (items.length === 0) return nothing;
      await advance(scheduler, items, session);
      const jobIds = await insertJobs(jobs, await toJobs(items, defaultsOf), session);
      return { items: items.length, jobIds };
    }),
  );
}

/** The lower bound leaves out null: an item that is never due again. In an expression null is less than any date. */
const isDue: Filter<SchedulerItemDocument> = {
  active: true,
  nextCallTime: { $gt: new Date(0) },
  $expr: { $lte: ['$nextCallTime', '$$NOW'] },
};

function findDueItems(
  scheduler: Collections['scheduler'],
  limit: number,
  session: ClientSession,
): Promise<DueItem[]> {
  const stages = [
    { $match: isDue },
    { $sort: { nextCallTime: 1 } },
    { $limit: limit },
    { $set: { now: '$$NOW' } },
  ];
  return scheduler.aggregate<DueItem>(stages, { session }).toArray();
}

async function advance(
  scheduler: Collections['scheduler'],
  items: readonly DueItem[],
  session: ClientSession,
): Promise<void> {
  const updates = items.map((item) => {
    const { _id, version, nextCallTime: due, now } = item;
    const moved = { nextCallTime: followingCallTime(item, due, now), lastCallTime: due };
    return { updateOne: { filter: { _id, version, nextCallTime: due }, update: { $set: moved } } };
  });
  await scheduler.bulkWrite(updates, { session });
}

async function toJobs(items: readonly DueItem[], defaultsOf: DefaultsOf): Promise<OccurrenceJob[]> {
  const defaults = await defaultsOf([...new Set(items.map(({ jobName }) => jobName))]);
  return items.map((item) => {
    const jobDefaults = defaults.get(item.jobName) ?? jobDefaultsSchema.parse({});
    const occurrence = { item: item._id, at: item.nextCallTime };
    const { jobName, input } = item;
    return {
      id: new ObjectId().toHexString(),
      jobName,
      input,
      ...jobDefaults,
      runAt: occurrence.at,
      occurrence,
    };
  });
}

/**
 * Written under the key of the occurrence. That alone would not be enough, for a job may be removed; it is what
 * keeps a database whose clock was set back from making the job of an occurrence again.
 */
async function insertJobs(
  jobs: Collections['jobs'],
  newJobs: readonly OccurrenceJob[],
  session: ClientSession,
): Promise<string[]> {
  const upserts = newJobs.map((job) => ({
    updateOne: {
      filter: { 'occurrence.item': job.occurrence.item, 'occurrence.at': job.occurrence.at },
      update: insertUnlessFound(job),
      upsert: true,
    },
  }));
  const { upsertedIds } = await jobs.bulkWrite(upserts, { session });
  return Object.values(upsertedIds).map(String);
}
