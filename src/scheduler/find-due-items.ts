import { BSON, type ClientSession, type Collection, type Filter } from 'mongodb';
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
  return (await scheduler.findOne(dueFilter(which), { projection: { jobName: 1 } }))?.jobName;
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
  const items: DueItem[] = [];
  let bytes = 0;
  for await (const item of scheduler.aggregate<DueItem>(stages, { session, batchSize: which.limit + 1 })) {
    items.push(complete(item));
    bytes += BSON.calculateObjectSize(item);
    if (bytes > MAX_BYTES) break;
  }
  return items;
}

/** No date is earlier, and what is no date is left out: an item that is never due again has null. */
const BEGINNING_OF_TIME = new Date(-8.64e15);

/** In an expression null is less than any date, hence both bounds. What must not overlap is never made ahead. */
function dueFilter({ aheadMs, except = [], only }: DueItems): Filter<SchedulerItemDocument> {
  return {
    active: true,
    nextCallTime: { $gte: BEGINNING_OF_TIME },
    $expr: { $lte: ['$nextCallTime', { $add: ['$$NOW', aheadMs] }] },
    ...(aheadMs > 0 && {
      $or: [{ overlap: { $ne: 'skip' } }, { $expr: { $lte: ['$nextCallTime', '$$NOW'] } }],
    }),
    ...(except.length > 0 && { _id: { $nin: [...except] } }),
    ...(only && { _id: { $in: [...only] } }),
  };
}
