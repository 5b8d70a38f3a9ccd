import { type JobDefaults, jobDefaultsSchema } from '../job/job-options.js';
import { bsonSize } from '../mongo/own-bson.js';
import type { DueItem } from './find-due-items.js';
import { type OccurrenceJob, occurrenceJob } from './occurrence-job.js';
import { type Plan, planOccurrences } from './plan-occurrences.js';

/** How much is made at a time. A job of more than 16 KB counts as several. */
export interface PlanLimits {
  /** Occurrences that are due within so long are made ahead. */
  readonly aheadMs: number;
  /** Of all items together; but one item is always planned. */
  readonly jobs: number;
  /** Of one item; but one job always. */
  readonly perItem: number;
}

/** An item, what becomes of it, and the jobs to be made. */
export interface PlannedItem {
  readonly item: DueItem;
  readonly plan: Plan;
  readonly jobs: readonly OccurrenceJob[];
}

/** An item of which nothing can be made, and why: its document was written by another program, or a newer platform; or middleware. */
export interface BrokenItem {
  readonly id: string;
  readonly error: unknown;
  /** Middleware refused a job of it. */
  readonly isRefused?: boolean;
}

/**
 * Plans as many items as the limits allow, the first ones. One that is broken keeps none of the others from being made.
 *
 * @param busy ids of items whose last job is not settled
 * @param defaults of jobs, by their names; the general ones for those that nobody knows any more
 */
export function planItems(
  items: readonly DueItem[],
  busy: ReadonlySet<string>,
  defaults: ReadonlyMap<string, JobDefaults>,
  limits: PlanLimits,
): { readonly planned: readonly PlannedItem[]; readonly broken: readonly BrokenItem[] } {
  const planned: PlannedItem[] = [];
  const broken: BrokenItem[] = [];
  let left = limits.jobs;
  for (const item of items) {
    try {
      const next = planItem(item, busy.has(item._id), defaults.get(item.jobName), limits);
      left -= next.jobs.length * weightOf(item);
      if (left < 0 && planned.length > 0) break;
      planned.push(next);
    } catch (error) {
      broken.push({ id: item._id, error });
    }
  }
  return { planned, broken };
}

function planItem(
  item: DueItem,
  isBusy: boolean,
  defaults: JobDefaults = jobDefaultsSchema.parse({}),
  { aheadMs, perItem }: PlanLimits,
): PlannedItem {
  const { now } = item;
  const limit = Math.max(1, Math.floor(perItem / weightOf(item)));
  const plan = planOccurrences(item, { now, horizon: new Date(now.getTime() + aheadMs), limit }, isBusy);
  const jobs = plan.made.map((at, index) => {
    const previous = plan.made[index - 1] ?? item.lastCallTime;
    return occurrenceJob(item, { item: item._id, at, previous }, defaults);
  });
  return { item, plan, jobs };
}

/** A transaction can well hold 1000 jobs of this size. */
const BYTES_OF_ONE = 16 * 1024;

function weightOf({ input }: DueItem): number {
  return Math.max(1, Math.ceil(bsonSize({ input }) / BYTES_OF_ONE));
}
