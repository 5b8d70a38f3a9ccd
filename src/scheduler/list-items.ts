import type { Collection, Filter } from 'mongodb';
import * as z from 'zod';
import { containing } from '../literal-pattern.js';
import { byId } from '../mongo/by-index.js';
import { readPage } from '../mongo/read-page.js';
import { MAX_SEARCHED, namePageSchema, type PageFilter, toCursorText } from '../page-filter.js';
import { storableText } from '../storable-text.js';
import { validateNow } from '../validate.js';
import { complete, type SchedulerItem, type SchedulerItemDocument, toSchedulerItem } from './item.js';
import { ourItem } from './scheduler-collection.js';
import { schedulerTypes } from './scheduler-options.js';

/** Selects a page of scheduler items, sorted by id. */
export interface SchedulersFilter extends PageFilter {
  /** Leaves out the inputs of the items. */
  readonly brief?: boolean | undefined;
  /**
   * Text in the id, title or job name, in upper or lower case. Items without it are left out. Each page searches at most 5,000
   * items. It may have fewer than `limit`, even none, and still a cursor to continue.
   */
  readonly text?: string | undefined;
}

const filterSchema = namePageSchema.extend({
  brief: z.boolean().default(false),
  text: storableText.min(1).max(200).optional(),
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
    text,
  } = validateNow(filterSchema, filter, 'Filter of scheduler items');
  const size = { limit: limit + 1, batchSize: limit + 1, ...(brief && { projection: { input: 0 } }) };
  const upTo = text === undefined ? undefined : await lastToSearch(scheduler, cursor);
  const within = { $gt: cursor, ...(upTo !== undefined && { $lte: upTo }) };
  const query = { ...ourItem, ...(text !== undefined && hasText(text)), _id: within };
  const found = scheduler.find(query, { sort: { _id: 1 }, ...size, ...byId });
  const { documents, hasMore } = await readPage(found, { limit, maxBytes });
  const next = hasMore ? documents.at(-1)?._id : upTo;
  return {
    schedulers: documents.map((item) => toSchedulerItem(complete(item))),
    cursor: next === undefined ? undefined : toCursorText(next),
  };
}

/** Returns the last id that may be searched, if more items follow it. Reads only index keys. */
async function lastToSearch(
  scheduler: Collection<SchedulerItemDocument>,
  after: string,
): Promise<string | undefined> {
  const options = { sort: { _id: 1 }, projection: { _id: 1 }, skip: MAX_SEARCHED - 1, ...byId } as const;
  return (await scheduler.findOne({ _id: { $gt: after } }, options))?._id;
}

function hasText(text: string): Filter<SchedulerItemDocument> {
  const matches = containing(text);
  return { $or: [{ _id: matches }, { title: matches }, { jobName: matches }] };
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
