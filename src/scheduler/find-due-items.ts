import type { ClientSession, Collection, Filter } from 'mongodb';
import { anyMoment } from '../mongo/any-moment.js';
import { byIndex, type Index, type IndexHint, idIndex } from '../mongo/by-index.js';
import { dueItems } from '../mongo/indexes.js';
import { ours } from '../mongo/ours.js';
import { bsonSize } from '../mongo/own-bson.js';
import { complete, type SchedulerItemDocument } from './item.js';

/** Which items, and how many. */
export interface DueItems {
  /** Also those that are due within so long. */
  readonly aheadMs: number;
  readonly limit: number;
  /** Ids of items that are passed over. */
  readonly except?: readonly string[];
  /** Ids of items: no others are looked at. */
  readonly only?: readonly string[];
}

export type DueItem = SchedulerItemDocument & {
  readonly nextCallTime: Date;
  /** The database's clock when it was read. */
  readonly now: Date;
};

/** Of items in memory: each may have an input of 10 MB. */
const MAX_BYTES = 16 * 1024 * 1024;

/** The name of the job of an item that is due; undefined when none is. */
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

/** The items that are due, the one due longest first; fewer than the limit when they are large, but at least one. */
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

/** Ids that are left out would do for a scan of all other ids; those that are given are fewer than what may be due. */
function indexOf({ only }: DueItems): Index {
  return only ? idIndex : dueItems;
}

/** What must not overlap is never made ahead. */
function dueFilter({ aheadMs, except = [], only }: DueItems): Filter<SchedulerItemDocument> {
  return {
    ...ours.scheduler,
    active: true,
    nextCallTime: anyMoment,
    $expr: { $lte: ['$nextCallTime', { $add: ['$$NOW', aheadMs] }] },
    ...(aheadMs > 0 && {
      $or: [{ overlap: { $ne: 'skip' } }, { $expr: { $lte: ['$nextCallTime', '$$NOW'] } }],
    }),
    ...(except.length > 0 && { _id: { ...ours.scheduler._id, $nin: [...except] } }),
    ...(only && { _id: { $in: [...only] } }),
  };
}
