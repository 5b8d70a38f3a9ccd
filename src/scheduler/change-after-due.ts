import type { ClientSession, Db } from 'mongodb';
import type { Collections } from '../mongo/collections.js';
import { serverTime } from '../mongo/server-time.js';
import { findBusyItems } from './find-busy-items.js';
import { requireItem } from './find-items.js';
import { inItemTransaction } from './in-item-transaction.js';
import type { SchedulerItemDocument } from './item.js';
import { type DefaultsOf, KnownDefaults } from './known-defaults.js';
import { makePlanned } from './make-planned.js';
import { planItems } from './plan-items.js';
import type { WaitingItem } from './plan-occurrences.js';

/** What becomes of an item. */
export interface ItemChange<Result> {
  /** Whether its next occurrence, which is due, would get no job any more. */
  readonly losesDue: (item: WaitingItem, now: Date) => boolean;
  /** Writes the change. An item that had its last occurrence in the same transaction is active still, as it was. */
  readonly write: (item: SchedulerItemDocument, now: Date, session: ClientSession) => Promise<Result>;
}

/** Of jobs in one transaction: keeps each well below MongoDB's limits. More that are due are made by further ones. */
const LIMITS = { aheadMs: 0, jobs: 500, perItem: 500 };

/**
 * Changes an item. Occurrences that would be lost by it though they are due, and only no tick has come since, are made
 * first, as a tick would make them, in the same transaction. One transaction: a tick that is under way comes before or
 * after it as a whole, never in between.
 *
 * @param change its functions may be called several times, and throw; nothing of the change is done then
 * @throws NotFoundError, what `change` throws, and as `inItemTransaction`
 */
export async function changeAfterDue<Result>(
  db: Db,
  collections: Collections,
  defaultsOf: DefaultsOf,
  id: string,
  { losesDue, write }: ItemChange<Result>,
): Promise<Result> {
  const defaults = new KnownDefaults(defaultsOf);
  for (;;) {
    const step = await inItemTransaction(collections.client, id, async (session): Promise<Step<Result>> => {
      const now = await serverTime(db);
      const item = await requireItem(collections.scheduler, id, session);
      if (!isDue(item, now) || !losesDue(item, now))
        return { kind: 'done', result: await write(item, now, session) };
      if (defaults.lacking([item.jobName]).length > 0) {
        await session.abortTransaction();
        return { kind: 'ask', jobName: item.jobName };
      }
      if (await makeDue(collections, { ...item, now }, defaults, session)) return { kind: 'more' };
      const { ended: _, ...made } = await requireItem(collections.scheduler, id, session);
      return { kind: 'done', result: await write({ ...made, active: true }, now, session) };
    });
    if (step.kind === 'done') return step.result;
    if (step.kind === 'ask') await defaults.learn([step.jobName]);
  }
}

/** `more`: what was made is written, and more is due. `ask`: nothing is written, for the defaults of that job are not known. */
type Step<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'more' }
  | { readonly kind: 'ask'; readonly jobName: string };

/** Whether an item has an occurrence that is due and not made yet. */
function isDue(item: SchedulerItemDocument, now: Date): item is WaitingItem {
  return item.active && item.nextCallTime !== null && item.nextCallTime <= now;
}

/** Makes what is due. Returns whether more is. Of an item that is broken nothing can be made. */
async function makeDue(
  { jobs, scheduler }: Collections,
  item: WaitingItem & { readonly now: Date },
  { byName }: KnownDefaults,
  session: ClientSession,
): Promise<boolean> {
  const busy = await findBusyItems(jobs, [item], session);
  const { planned } = planItems([item], busy, byName, LIMITS);
  await makePlanned({ jobs, scheduler }, planned, session);
  return planned.some(({ plan }) => plan.isCut);
}
