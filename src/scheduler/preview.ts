import type { Db } from 'mongodb';
import { serverTime } from '../mongo/server-time.js';
import { validateNow } from '../validate.js';
import { callTimeFrom, neverDue } from './activate.js';
import { newItem } from './add-item.js';
import { requireItem } from './find-items.js';
import { findMadeAhead } from './find-made-ahead.js';
import type { SchedulerItemDocument } from './item.js';
import { localTime } from './next-call-time.js';
import { planOccurrences } from './plan-occurrences.js';
import type { SchedulerCollections } from './scheduler-collection.js';
import { type SchedulerOptions, schedulerOptionsSchema } from './scheduler-options.js';

/** A moment at which an item will be due. */
export interface Preview {
  readonly at: Date;
  /** The same moment in the item's time zone, as ISO 8601 with the offset. */
  readonly local: string;
}

/** Returns the next occurrences. See `Schedules.preview`. */
export async function preview(
  db: Db,
  collections: SchedulerCollections,
  itemOrOptions: string | SchedulerOptions,
  count: number,
): Promise<Preview[]> {
  const now = await serverTime(db);
  const isStored = typeof itemOrOptions === 'string';
  const item = isStored ? await requireItem(collections.scheduler, itemOrOptions) : parse(itemOrOptions, now);
  const made = isStored ? await madeAhead(collections, item, now, count) : [];
  const moments = [...made, ...toBeMade(item, now, count)].slice(0, count);
  return moments.map((at) => ({ at, local: localTime(at, item.timeZone) }));
}

/**
 * Makes an item from options. Its job may be unknown.
 *
 * @throws ValidationError, also for an item that would never be due
 */
function parse(options: SchedulerOptions, now: Date): SchedulerItemDocument {
  const subject = 'The call of preview';
  const { id = '', active, ...definition } = validateNow(schedulerOptionsSchema, options, subject);
  const item = newItem(id, definition);
  if (callTimeFrom(item, now) === null) throw neverDue(item, now, subject);
  return item;
}

/** Returns the occurrences that already have their jobs and are not due yet. */
async function madeAhead(
  { jobs }: SchedulerCollections,
  { _id, lastCallTime }: SchedulerItemDocument,
  now: Date,
  limit: number,
): Promise<Date[]> {
  if (lastCallTime === null || lastCallTime <= now) return [];
  const made = await findMadeAhead(jobs, { itemId: _id, now, until: lastCallTime }, { limit });
  return made.map(({ occurrence }) => occurrence.at);
}

/** Returns the occurrences that a tick would make if it looked ahead without limit. */
function toBeMade(item: SchedulerItemDocument, now: Date, limit: number): readonly Date[] {
  const nextCallTime = item.nextCallTime ?? callTimeFrom(item, now);
  if (nextCallTime === null) return [];
  const tick = { now, horizon: new Date(8.64e15), limit };
  return planOccurrences({ ...item, overlap: 'allow', nextCallTime }, tick, false).made;
}
