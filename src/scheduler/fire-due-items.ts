import type { ClientSession } from 'mongodb';
import { HeldByAnother, inTransaction } from '../mongo/in-transaction.js';
import { findBusyItems } from './find-busy-items.js';
import { findDueItems, findDueJobName } from './find-due-items.js';
import { type JobMaking, tellMade } from './job-making.js';
import { type MadeJob, makePlanned } from './make-planned.js';
import { type BrokenItem, type PlanLimits, type PlannedItem, planItems } from './plan-items.js';
import type { SchedulerCollections } from './scheduler-collection.js';

/** Limits of one transaction, which keep it well below MongoDB's limits on time and size. */
export interface FireLimits extends PlanLimits {
  readonly items: number;
  /** The moment after which no transaction begins, not even a repeated one. In milliseconds since the epoch. */
  readonly deadline: number;
}

/**
 * How long a transaction is retried after conflicts. A conflict with another scheduler or with a person's change is over by
 * then. A longer one comes from a process that was killed or is very slow.
 */
export const PATIENCE_MS = 500;

/** Selects items by id: all except some, or `only` some. */
export type Which = { readonly except: readonly string[] } | { readonly only: readonly string[] };

export type Fired =
  /** No item is due any more, or the deadline has come. */
  | { readonly kind: 'done' }
  /** Nothing was done, because another transaction holds at least one of these items. */
  | { readonly kind: 'held'; readonly ids: readonly string[] }
  | Made;

export interface Made {
  readonly kind: 'made';
  /** The jobs that were made. An occurrence that already has its job is not among them. */
  readonly jobs: readonly MadeJob[];
  /** Items with more due occurrences. Maps each id to the number of occurrences that the item has moved past. */
  readonly cut: ReadonlyMap<string, number>;
  /** Broken items, which were left unchanged. */
  readonly broken: readonly BrokenItem[];
}

/**
 * Makes the jobs of due items, those due longest first, and advances the items.
 *
 * Each occurrence gets exactly one job, since the jobs are made in the same transaction that advances their item. A killed
 * scheduler leaves both or neither. If two schedulers meet, or a person changes an item meanwhile, one transaction has a write
 * conflict. It begins again with the current state.
 *
 * @param patienceMs how long to retry the transaction after conflicts
 */
export async function fireDueItems(
  { client, jobs, scheduler }: SchedulerCollections,
  { kinds, prepared, events }: JobMaking,
  limits: FireLimits,
  those: Which,
  patienceMs: number,
): Promise<Fired> {
  const which = { ...those, aheadMs: limits.aheadMs, limit: limits.items };
  const jobName = await findDueJobName(scheduler, which);
  if (jobName === undefined) return { kind: 'done' };
  let lacking: readonly string[] = [jobName];
  let unprepared: readonly PlannedItem[] = [];
  let ids: readonly string[] = [];
  const fire = async (session: ClientSession): Promise<Fired> => {
    if (Date.now() >= limits.deadline) return { kind: 'done' };
    const items = await findDueItems(scheduler, which, session);
    if (items.length === 0) return { kind: 'done' };
    lacking = kinds.lacking(items.map((item) => item.jobName));
    if (lacking.length > 0) {
      await session.abortTransaction();
      return { kind: 'done' };
    }
    const busy = await findBusyItems(jobs, items, session);
    const { planned, broken } = planItems(items, busy, kinds.byName, limits);
    unprepared = prepared.lacking(planned);
    if (unprepared.length > 0) {
      await session.abortTransaction();
      return { kind: 'done' };
    }
    const { ready, refused } = prepared.take(planned);
    ids = ready.map(({ item }) => item._id);
    const made = await makePlanned({ jobs, scheduler }, ready, session);
    return { kind: 'made', jobs: made, cut: cutOf(ready), broken: [...broken, ...refused] };
  };
  try {
    for (;;) {
      await kinds.learn(lacking);
      await prepared.prepare(unprepared);
      lacking = [];
      unprepared = [];
      const fired = await inTransaction(client, fire, Date.now() + patienceMs);
      if (lacking.length > 0 || unprepared.length > 0) continue;
      if (fired.kind === 'made') await tellMade({ prepared, events }, fired.jobs);
      return fired;
    }
  } catch (error) {
    if (error instanceof HeldByAnother) return { kind: 'held', ids };
    throw error;
  }
}

function cutOf(planned: readonly PlannedItem[]): Map<string, number> {
  const cut = planned.filter(({ plan }) => plan.isCut);
  return new Map(cut.map(({ item, plan }) => [item._id, plan.made.length + plan.skipped]));
}
