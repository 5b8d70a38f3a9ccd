import type { Collection } from 'mongodb';
import * as z from 'zod';
import { byId } from '../mongo/by-index.js';
import { readPage } from '../mongo/read-page.js';
import { namePageSchema, type PageFilter, toCursorText } from '../page-filter.js';
import { validateNow } from '../validate.js';
import { complete, type SchedulerItem, type SchedulerItemDocument, toSchedulerItem } from './item.js';
import { ourItem } from './scheduler-collection.js';
import { schedulerTypes } from './scheduler-options.js';

/** Selects a page of scheduler items, sorted by id. */
export interface SchedulersFilter extends PageFilter {
  /** Leaves out the inputs of the items. */
  readonly brief?: boolean | undefined;
}

const filterSchema = namePageSchema.extend({
  brief: z.boolean().default(false),
}) satisfies z.ZodType<unknown, SchedulersFilter>;

export interface SchedulerPage {
  readonly schedulers: SchedulerItem[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

/** Returns a page of the scheduler items. See `Schedules.list`. @throws ValidationError */
export async function listItems(
  scheduler: Collection<SchedulerItemDocument>,
  filter: SchedulersFilter = {},
): Promise<SchedulerPage> {
  const {
    limit,
    maxBytes,
    cursor = '',
    brief,
  } = validateNow(filterSchema, filter, 'Filter of scheduler items');
  const size = { limit: limit + 1, batchSize: limit + 1, ...(brief && { projection: { input: 0 } }) };
  const found = scheduler.find({ ...ourItem, _id: { $gt: cursor } }, { sort: { _id: 1 }, ...size, ...byId });
  const { documents, hasMore } = await readPage(found, { limit, maxBytes });
  const last = documents.at(-1);
  return {
    schedulers: documents.map((item) => toSchedulerItem(complete(item))),
    cursor: hasMore && last ? toCursorText(last._id) : undefined,
  };
}

/** Returns the active items that are due next, soonest first, without their inputs. See `Schedules.next`. */
export async function findNextItems(
  scheduler: Collection<SchedulerItemDocument>,
  limit: number,
): Promise<SchedulerItem[]> {
  const active = { active: true, nextCallTime: { $gte: new Date(0) }, type: { $in: schedulerTypes } };
  const options = { sort: { nextCallTime: 1 }, limit, projection: { input: 0 } } as const;
  const items = await scheduler.find(active, options).toArray();
  return items.map((item) => toSchedulerItem(complete(item)));
}
