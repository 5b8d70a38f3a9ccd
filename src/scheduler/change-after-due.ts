import type { ClientSession, Db } from 'mongodb';
import { serverTime } from '../mongo/server-time.js';
import { findBusyItems } from './find-busy-items.js';
import { requireItem } from './find-items.js';
import { inItemTransaction } from './in-item-transaction.js';
import type { SchedulerItemDocument } from './item.js';
import { type JobMaker, type JobMaking, makingJobs, tellMade } from './job-making.js';
import type { KnownKinds } from './known-kinds.js';
import { type MadeJob, makePlanned } from './make-planned.js';
import { type PlannedItem, planItems } from './plan-items.js';
import type { WaitingItem } from './plan-occurrences.js';
import type { PreparedJobs } from './prepared-jobs.js';
import type { SchedulerCollections } from './scheduler-collection.js';

export interface ItemChange<Result> {
  /** Returns whether the change would lose a job, because the item's next occurrence is already due. */
  readonly losesDue: (item: WaitingItem, now: Date) => boolean;
  /** Writes the change. The item is passed as still active, even if its last occurrence was made in the same transaction. */
  readonly write: (item: SchedulerItemDocument, now: Date, session: ClientSession) => Promise<Result>;
}

/** Limits of one transaction, well below MongoDB's. Any remaining occurrences are made in further transactions. */
const LIMITS = { aheadMs: 0, jobs: 500, perItem: 500 };

/**
 * Changes an item. First makes the jobs of due occurrences that no tick has made yet, if the change would lose them. Does both
 * in one transaction, so a concurrent tick comes entirely before or after the change.
 *
 * @param change its functions may throw, and may be called several times. If one throws, nothing is changed
 * @throws NotFoundError, any error of `change`, and errors as in `inItemTransaction`
 */
export async function changeAfterDue<Result>(
  db: Db,
  collections: SchedulerCollections,
  maker: JobMaker,
  id: string,
  change: ItemChange<Result>,
): Promise<Result> {
  return makingJobs(maker, (making) => makeAndChange(db, collections, making, id, change));
}

async function makeAndChange<Result>(
  db: Db,
  collections: SchedulerCollections,
  making: JobMaking,
  id: string,
  { losesDue, write }: ItemChange<Result>,
): Promise<Result> {
  const { kinds, prepared } = making;
  for (;;) {
    const step = await inItemTransaction(collections.client, id, async (session): Promise<Step<Result>> => {
      const now = await serverTime(db);
      const item = await requireItem(collections.scheduler, id, session);
      if (!isDue(item, now) || !losesDue(item, now))
        return { kind: 'done', made: [], result: await write(item, now, session) };
      if (kinds.lacking([item.jobName]).length > 0) {
        await session.abortTransaction();
        return { kind: 'ask', jobName: item.jobName };
      }
      const planned = await planDue(collections, { ...item, now }, kinds, session);
      if (prepared.lacking(planned).length > 0) {
        await session.abortTransaction();
        return { kind: 'prepare', planned };
      }
      const made = await makePlanned(collections, allReady(prepared.take(planned)), session);
      if (planned.some(({ plan }) => plan.isCut)) return { kind: 'more', made };
      const { ended: _, ...moved } = await requireItem(collections.scheduler, id, session);
      return { kind: 'done', made, result: await write({ ...moved, active: true }, now, session) };
    });
    if (step.kind === 'ask') await kinds.learn([step.jobName]);
    else if (step.kind === 'prepare') await prepared.prepare(step.planned);
    else await tellMade(making, step.made);
    if (step.kind === 'done') return step.result;
  }
}

/**
 * The outcome of one transaction. With `more`, jobs were made and further occurrences are due. With `ask`, nothing was written,
 * because the job's kind is unknown. With `prepare`, nothing was written, because jobs are not prepared.
 */
type Step<Result> =
  | { readonly kind: 'done'; readonly made: readonly MadeJob[]; readonly result: Result }
  | { readonly kind: 'more'; readonly made: readonly MadeJob[] }
  | { readonly kind: 'ask'; readonly jobName: string }
  | { readonly kind: 'prepare'; readonly planned: readonly PlannedItem[] };

/** Returns whether an item has a due occurrence whose job is not made yet. */
function isDue(item: SchedulerItemDocument, now: Date): item is WaitingItem {
  return item.active && item.nextCallTime !== null && item.nextCallTime <= now;
}

/** Plans the due occurrences. Returns no plan for a broken item. */
async function planDue(
  { jobs }: SchedulerCollections,
  item: WaitingItem & { readonly now: Date },
  { byName }: KnownKinds,
  session: ClientSession,
): Promise<readonly PlannedItem[]> {
  const busy = await findBusyItems(jobs, [item], session);
  return planItems([item], busy, byName, LIMITS).planned;
}

/** Returns the items that are ready. @throws the error by which middleware refused a job. Nothing is changed then */
function allReady({ ready, refused }: ReturnType<PreparedJobs['take']>): readonly PlannedItem[] {
  for (const { error } of refused) throw error;
  return ready;
}
