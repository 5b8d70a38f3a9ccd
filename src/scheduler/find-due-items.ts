import type { ClientSession, Collection, Filter } from 'mongodb';
import { anyMoment } from '../mongo/any-moment.js';
import { byIndex, type Index, type IndexHint, idIndex } from '../mongo/by-index.js';
import { bsonSize } from '../mongo/own-bson.js';
import { complete, type SchedulerItemDocument } from './item.js';
import { dueItems, ourItem } from './scheduler-collection.js';

/** Which due items to find, and how many. */
export interface DueItems {
  /** How far ahead of its next occurrence an item counts as due. */
  readonly aheadMs: number;
  readonly limit: number;
  /** Ids of items to leave out. */
  readonly except?: readonly string[];
  /** Ids of the only items to consider. */
  readonly only?: readonly string[];
}

export type DueItem = SchedulerItemDocument & {
  readonly nextCallTime: Date;
  /** The database's clock at the time of the read. */
  readonly now: Date;
};

/** Maximum size of the items that are read at once. Each may have an input of 10 MB. */
const MAX_BYTES = 16 * 1024 * 1024;

export async function findDueJobName(
  scheduler: Collection<SchedulerItemDocument>,
  which: DueItems,
): Promise<string | undefined> {
  const projection = { jobName: 1 };
  const item = await byIndex(scheduler, indexOf(which), (hint) =>
    scheduler.findOne(dueFilter(which), { projection, ...hint }),
  );
  return item?.jobName;
}

/**
 * Returns the due items, the one that has been due longest first. Returns fewer than the limit if items are large, but
 * at least one if any is due.
 */
export async function findDueItems(
  scheduler: Collection<SchedulerItemDocument>,
  which: DueItems,
  session: ClientSession,
): Promise<DueItem[]> {
  const stages = [
    { $match: dueFilter(which) },
    { $sort: { nextCallTime: 1 } },
    { $limit: which.limit },
    { $set: { now: '$$NOW' } },
  ];
  const options = { session, batchSize: which.limit + 1 };
  const find = (hint: IndexHint) => readSome(scheduler.aggregate<DueItem>(stages, { ...options, ...hint }));
  return byIndex(scheduler, indexOf(which), find, session);
}

async function readSome(found: AsyncIterable<DueItem>): Promise<DueItem[]> {
  const items: DueItem[] = [];
  let bytes = 0;
  for await (const item of found) {
    items.push(complete(item));
    bytes += bsonSize(item);
    if (bytes > MAX_BYTES) break;
  }
  return items;
}

/**
 * Returns the index to use. With `only`, that is the index on ids, since `only` names few items. With `except`, that index
 * would be slow, because it would scan all other ids.
 */
function indexOf({ only }: DueItems): Index {
  return only ? idIndex : dueItems;
}

/** Returns the filter for due items. The jobs of an item that must not overlap are never made ahead. */
function dueFilter({ aheadMs, except = [], only }: DueItems): Filter<SchedulerItemDocument> {
  return {
    ...ourItem,
    active: true,
    nextCallTime: anyMoment,
    $expr: { $lte: ['$nextCallTime', { $add: ['$$NOW', aheadMs] }] },
    ...(aheadMs > 0 && {
      $or: [{ overlap: { $ne: 'skip' } }, { $expr: { $lte: ['$nextCallTime', '$$NOW'] } }],
    }),
    ...(except.length > 0 && { _id: { ...ourItem._id, $nin: [...except] } }),
    ...(only && { _id: { $in: [...only] } }),
  };
}
