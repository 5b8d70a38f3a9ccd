import type { KnownKind } from '../job/registry.js';
import { bsonSize } from '../mongo/own-bson.js';
import type { DueItem } from './find-due-items.js';
import { type OccurrenceJob, occurrenceJob } from './occurrence-job.js';
import { type Plan, planOccurrences } from './plan-occurrences.js';

/** Limits on how many jobs are made at a time. A job of more than 16 KB counts as several. */
export interface PlanLimits {
  /** How far ahead occurrences are made. */
  readonly aheadMs: number;
  /** Maximum number of jobs of all items together. At least one item is always planned. */
  readonly jobs: number;
  /** Maximum number of jobs of one item. At least one job is always planned. */
  readonly perItem: number;
}

export interface PlannedItem {
  readonly item: DueItem;
  readonly plan: Plan;
  readonly jobs: readonly OccurrenceJob[];
}

/**
 * An item whose jobs cannot be made, and the reason. Its document may come from another program or a newer platform, or
 * middleware may have refused a job.
 */
export interface BrokenItem {
  readonly id: string;
  readonly error: unknown;
  /** True if middleware refused one of its jobs. */
  readonly isRefused?: boolean;
}

/**
 * Plans the jobs of the first items, as many as the limits allow. A broken item does not affect the others.
 *
 * @param busy ids of items whose last job is not settled
 * @param kinds kinds of jobs, by name. Unknown jobs get the general defaults
 */
export function planItems(
  items: readonly DueItem[],
  busy: ReadonlySet<string>,
  kinds: ReadonlyMap<string, KnownKind>,
  limits: PlanLimits,
): { readonly planned: readonly PlannedItem[]; readonly broken: readonly BrokenItem[] } {
  const planned: PlannedItem[] = [];
  const broken: BrokenItem[] = [];
  let left = limits.jobs;
  for (const item of items) {
    try {
      const next = planItem(item, busy.has(item._id), kinds.get(item.jobName), limits);
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
  kind: KnownKind | undefined,
  { aheadMs, perItem }: PlanLimits,
): PlannedItem {
  const { now } = item;
  const limit = Math.max(1, Math.floor(perItem / weightOf(item)));
  const plan = planOccurrences(item, { now, horizon: new Date(now.getTime() + aheadMs), limit }, isBusy);
  const jobs = plan.made.map((at, index) => {
    const previous = plan.made[index - 1] ?? item.lastCallTime;
    return occurrenceJob(item, { item: item._id, at, previous }, kind);
  });
  return { item, plan, jobs };
}

/** Largest size of a job that counts as one. A transaction easily holds 1000 jobs of this size. */
const BYTES_OF_ONE = 16 * 1024;

function weightOf({ input }: DueItem): number {
  return Math.max(1, Math.ceil(bsonSize({ input }) / BYTES_OF_ONE));
}
