import type { ClientSession, Filter, UpdateFilter } from 'mongodb';
import { insertUnlessFound } from '../job/insert-job.js';
import { type JobDefaults, jobDefaultsSchema } from '../job/job-options.js';
import type { Collections } from '../mongo/collections.js';
import type { SchedulerItemDocument } from './item.js';
import { type OccurrenceJob, occurrenceJob } from './occurrence-job.js';
import { type Plan, planOccurrences } from './plan-occurrences.js';

/** Defaults of the jobs that items make, by job name. */
export type DefaultsOf = (jobNames: readonly string[]) => Promise<ReadonlyMap<string, JobDefaults>>;

/** How much one transaction does: keeps each well below MongoDB's limits on time and size. */
export interface FireLimits {
  /** Occurrences that are due within so long are made ahead. */
  readonly aheadMs: number;
  readonly items: number;
  /** In all; at least `perItem`. */
  readonly jobs: number;
  readonly perItem: number;
  /** Items that are passed over. */
  readonly except: readonly string[];
}

/** What was done. An item whose occurrence has its job already is moved on, and makes none. */
export interface Fired {
  readonly items: number;
  readonly jobIds: readonly string[];
  /** Items of which more than `perItem` occurrences were due: the rest of them is. */
  readonly cut: readonly string[];
}

const nothing: Fired = { items: 0, jobIds: [], cut: [] };

type DueItem = SchedulerItemDocument & { readonly nextCallTime: Date; readonly now: Date };
interface PlannedItem {
  readonly item: DueItem;
  readonly plan: Plan;
  readonly jobs: readonly OccurrenceJob[];
}

/**
 * Makes the jobs of due items, oldest first, and moves the items on.
 *
 * Exactly one job per occurrence: jobs and their item's advance are one transaction. A scheduler that is killed
 * leaves both or neither, and one that was paused with an outdated view finds that its advance matches nothing.
 * When two schedulers meet, one of them has a write conflict, and the driver runs its transaction again.
 */
export async function fireDueItems(
  { client, jobs, scheduler }: Collections,
  defaultsOf: DefaultsOf,
  limits: FireLimits,
): Promise<Fired> {
  const isDue = dueFilter(limits);
  if ((await scheduler.findOne(isDue, { projection: { _id: 1 } })) === null) return nothing;
  return client.withSession((session) =>
    session.withTransaction(async () => {
      const items = await findDueItems(scheduler, isDue, limits.items, session);
      if (items.length === 0) return nothing;
      const busy = await findBusy(jobs, items, session);
      const planned = await planAll(items, busy, defaultsOf, limits);
      await advance(scheduler, planned, session);
      const jobIds = await insertJobs(jobs, planned, session);
      const cut = planned.filter(({ plan }) => plan.isCut).map(({ item }) => item._id);
      return { items: planned.length, jobIds, cut };
    }),
  );
}

/**
 * The lower bound leaves out null: an item that is never due again. In an expression null is less than any date. What
 * must not overlap is never made ahead.
 */
function dueFilter({ aheadMs, except }: FireLimits): Filter<SchedulerItemDocument> {
  return {
    active: true,
    nextCallTime: { $gt: new Date(0) },
    $expr: { $lte: ['$nextCallTime', { $add: ['$$NOW', aheadMs] }] },
    ...(aheadMs > 0 && {
      $or: [{ overlap: { $ne: 'skip' } }, { $expr: { $lte: ['$nextCallTime', '$$NOW'] } }],
    }),
    ...(except.length > 0 && { _id: { $nin: [...except] } }),
  };
}

function findDueItems(
  scheduler: Collections['scheduler'],
  isDue: Filter<SchedulerItemDocument>,
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

/** Of the items that must not overlap, those whose last job is not settled. */
async function findBusy(
  jobs: Collections['jobs'],
  items: readonly DueItem[],
  session: ClientSession,
): Promise<ReadonlySet<string>> {
  const jobIds = items.flatMap(({ overlap, lastJobId }) =>
    overlap === 'skip' && lastJobId !== undefined ? lastJobId : [],
  );
  if (jobIds.length === 0) return new Set();
  const unsettled = await jobs
    .find(
      { _id: { $in: jobIds }, status: { $in: ['queued', 'processing'] } },
      { session, projection: { _id: 1 } },
    )
    .toArray();
  return new Set(unsettled.map(({ _id }) => _id));
}

async function planAll(
  items: readonly DueItem[],
  busy: ReadonlySet<string>,
  defaultsOf: DefaultsOf,
  { aheadMs, jobs: maxJobs, perItem }: FireLimits,
): Promise<PlannedItem[]> {
  const defaults = await defaultsOf([...new Set(items.map(({ jobName }) => jobName))]);
  const planned: PlannedItem[] = [];
  let left = maxJobs;
  for (const item of items) {
    const { now, jobName, lastJobId = '' } = item;
    const tick = { now, horizon: new Date(now.getTime() + aheadMs), limit: perItem };
    const plan = planOccurrences(item, tick, busy.has(lastJobId));
    if (plan.made.length > left) break;
    left -= plan.made.length;
    const jobDefaults = defaults.get(jobName) ?? jobDefaultsSchema.parse({});
    planned.push({ item, plan, jobs: plan.made.map((at) => occurrenceJob(item, at, jobDefaults)) });
  }
  return planned;
}

async function advance(
  scheduler: Collections['scheduler'],
  planned: readonly PlannedItem[],
  session: ClientSession,
): Promise<void> {
  const updates = planned.map(({ item: { _id, version, nextCallTime }, plan, jobs }) => ({
    updateOne: { filter: { _id, version, nextCallTime }, update: advanced(plan, jobs) },
  }));
  await scheduler.bulkWrite(updates, { session });
}

/** An item that has no occurrence any more is not active. */
function advanced(
  { skipped, next }: Plan,
  jobs: readonly OccurrenceJob[],
): UpdateFilter<SchedulerItemDocument> {
  const last = jobs.at(-1);
  return {
    $set: {
      nextCallTime: next,
      ...(next === null && { active: false }),
      ...(last && { lastCallTime: last.occurrence.at, lastJobId: last.id }),
    },
    $inc: { occurrences: jobs.length, skipped },
  };
}

/**
 * Written under the key of the occurrence. That alone would not be enough, for a job may be removed; it is what
 * keeps a database whose clock was set back from making the job of an occurrence again.
 */
async function insertJobs(
  jobs: Collections['jobs'],
  planned: readonly PlannedItem[],
  session: ClientSession,
): Promise<string[]> {
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
  return Object.values(upsertedIds).map(String);
}
