import type { Collection, Db } from 'mongodb';
import { byIndex } from '../mongo/by-index.js';
import { serverTime } from '../mongo/server-time.js';
import { complete, type SchedulerItemDocument } from './item.js';
import { nextCallTime } from './next-call-time.js';
import { dueItems } from './scheduler-collection.js';
import { schedulerTypes } from './scheduler-options.js';

/** The occurrences of a scheduler item in the time ahead. */
export interface Upcoming {
  readonly id: string;
  readonly title: string;
  readonly at: readonly Date[];
}

/** Maximum number of items to look at, and maximum number of occurrences of each. */
const MAX_ITEMS = 100;
const MAX_EACH = 1500;

/** Returns the occurrences of active items within a time from now. See `Schedules.upcoming`. */
export async function findUpcoming(
  db: Db,
  scheduler: Collection<SchedulerItemDocument>,
  withinMs: number,
): Promise<Upcoming[]> {
  const until = new Date((await serverTime(db)).getTime() + withinMs);
  const next = { $gte: new Date(0), $lte: until };
  const active = { active: true, nextCallTime: next, type: { $in: schedulerTypes } };
  const size = { limit: MAX_ITEMS, batchSize: MAX_ITEMS + 1, projection: { input: 0 } };
  const items = await byIndex(scheduler, dueItems, (hint) =>
    scheduler.find(active, { sort: { nextCallTime: 1 }, ...size, ...hint }).toArray(),
  );
  return items.map(complete).map((item) => ({
    ...{ id: item._id, title: item.title, at: occurrencesOf(item, until) },
  }));
}

function occurrencesOf(item: SchedulerItemDocument, until: Date): Date[] {
  const moments: Date[] = [];
  let next = item.nextCallTime;
  while (next !== null && next <= until && moments.length < MAX_EACH) {
    moments.push(next);
    next = nextCallTime(item, next);
  }
  return moments;
}
