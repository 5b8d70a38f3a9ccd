import type { AnyBulkWriteOperation, Collection, Db } from 'mongodb';
import type { Role } from '../access/role.js';
import { isKind } from '../brand.js';
import { NotFoundError } from '../errors.js';
import type { JobRegistry } from '../job/registry.js';
import type { Logger } from '../log.js';
import { byId } from '../mongo/by-index.js';
import { serverTime } from '../mongo/server-time.js';
import { activated } from './activate.js';
import { changeAfterDue } from './change-after-due.js';
import { requireItem } from './find-items.js';
import { complete, isNextOf, type SchedulerItemDocument } from './item.js';
import type { JobMaker } from './job-making.js';
import { scheduleDueItems } from './schedule-due-items.js';
import { ourItem, type SchedulerCollections } from './scheduler-collection.js';
import { tellBroken } from './tell-items.js';

/** Statements per command. The number is well below MongoDB's limit, and keeps each command short. */
const BATCH = 500;

/**
 * Makes an active item's due jobs, and recomputes its next occurrence from the database's now. Returns that moment.
 * Returns null for an inactive item, or if no occurrence is left, which makes the item inactive.
 *
 * @throws ForbiddenError, and errors as in `changeAfterDue`
 */
export async function rescheduleItem(
  db: Db,
  collections: SchedulerCollections,
  registry: JobRegistry,
  id: string,
  callerRole?: Role,
): Promise<Date | null> {
  const jobName = async () => (await requireItem(collections.scheduler, id)).jobName;
  await registry.requireMayAdd(jobName, callerRole);
  return recompute(db, collections, registry, id);
}

function recompute(
  db: Db,
  collections: SchedulerCollections,
  maker: JobMaker,
  id: string,
): Promise<Date | null> {
  return changeAfterDue(db, collections, maker, id, {
    losesDue: (item, now) => !isNextOf(activated(item, now), item),
    write: async (item, now, session) => {
      if (!item.active) return null;
      const next = activated(item, now);
      await collections.scheduler.replaceOne(
        { _id: item._id },
        { ...next, ...(!next.active && { ended: true as const }) },
        { session, ignoreUndefined: true },
      );
      return next.nextCallTime;
    },
  });
}

/**
 * Makes all due jobs, and recomputes the next occurrence of all active items. Returns the number of these items. Logs and skips
 * broken items. Skips items whose jobs this caller may not add.
 *
 * @throws errors as in `inItemTransaction` for a due item that another transaction holds. Some items may already be changed
 */
export async function rescheduleItems(
  db: Db,
  collections: SchedulerCollections,
  registry: JobRegistry,
  log: Logger,
  callerRole?: Role,
): Promise<number> {
  const { scheduler } = collections;
  const everything = { aheadMs: 0, deadline: Number.POSITIVE_INFINITY };
  await scheduleDueItems(collections, registry, everything, log);
  const now = await serverTime(db);
  let count = 0;
  for (let after = ''; ; ) {
    const page = await findActive(scheduler, after);
    const allowed = await registry.mayAdd([...new Set(page.map(({ jobName }) => jobName))], callerRole);
    const changeable = page.filter(({ jobName }) => allowed.has(jobName));
    const rescheduled = changeable.flatMap((item) => rescheduledAt(now, item, log));
    const isDue = ({ item }: Rescheduled) => item.nextCallTime !== null && item.nextCallTime <= now;
    const updates = rescheduled.filter((each) => !isDue(each)).map(toUpdate);
    if (updates.length > 0) await scheduler.bulkWrite(updates, { ordered: false });
    for (const { item } of rescheduled.filter(isDue))
      await recompute(db, collections, registry, item._id).catch(ignoreNotFound);
    count += rescheduled.length;
    const last = page.at(-1);
    if (page.length < BATCH || last === undefined) return count;
    after = last._id;
  }
}

/** Returns the next active items, sorted by id, without their inputs. */
async function findActive(
  scheduler: Collection<SchedulerItemDocument>,
  after: string,
): Promise<SchedulerItemDocument[]> {
  const size = { limit: BATCH, batchSize: BATCH + 1, projection: { input: 0 } };
  const active = { ...ourItem, _id: { $gt: after }, active: true };
  return (await scheduler.find(active, { sort: { _id: 1 }, ...size, ...byId }).toArray()).map(complete);
}

/** An item as it was read, and as it will be after rescheduling. */
interface Rescheduled {
  readonly item: SchedulerItemDocument;
  readonly next: SchedulerItemDocument;
}

/** Returns an item with its new state, or an empty list for a broken item. */
function rescheduledAt(now: Date, item: SchedulerItemDocument, log: Logger): Rescheduled[] {
  try {
    return [{ item, next: activated(item, now) }];
  } catch (error) {
    tellBroken([{ id: item._id, error }], log);
    return [];
  }
}

/** Ignores the error for an item that was removed meanwhile. */
function ignoreNotFound(error: unknown): void {
  if (!isKind(error, NotFoundError)) throw error;
}

/** Returns an update that has no effect if the item was changed or advanced after it was read. */
function toUpdate({ item, next }: Rescheduled): AnyBulkWriteOperation<SchedulerItemDocument> {
  const { _id, version, nextCallTime: seen } = item;
  const { active, nextCallTime } = next;
  const filter = { _id, version, active: true, nextCallTime: seen };
  const update = { $set: { active, nextCallTime, ...(!active && { ended: true as const }) } };
  return { updateOne: { filter, update, ...byId } };
}
