import type { Collection, Document } from 'mongodb';
import ms from 'ms';
import { ForeignDocumentsError } from '../errors.js';
import { unlessForeign } from '../mongo/unless-foreign.js';
import {
  type AttemptCounts,
  countNames,
  MINUTE_MS,
  nameKey,
  type StatisticsDocument,
} from './statistics-document.js';

/** A week, and the day before it to compare with. */
const KEPT_MS = ms('8 days');

/** Of one minute. Jobs of further names are in its total alone, so that no document grows without bounds. */
const MAX_NAMES = 100;

/** A minute that ends while the statement is on its way is still the right one. */
const TOLERANCE_MS = 5_000;

/** What was counted since it was written last: of all jobs, and by job name. */
export interface GatheredCounts {
  readonly total: Partial<AttemptCounts>;
  readonly byName: ReadonlyMap<string, Partial<AttemptCounts>>;
}

/**
 * Adds counts to the document of a minute, and returns the database's time. They were added only if it is that minute by
 * the database's clock, as `isMinuteOf` tells: a caller whose clock is wrong tries again, for the minute it is.
 *
 * One document a minute for all workers: each adds to it once a minute, and at the end of an invocation. MongoDB makes
 * hundreds of changes a second to one document, far more than there are invocations.
 *
 * @throws ForeignDocumentsError when a document of somebody else stands for the minute: it stays as it is
 */
export async function addCounts(
  statistics: Collection<StatisticsDocument>,
  minute: Date,
  counts: GatheredCounts,
): Promise<Date> {
  const update = unlessForeign(addition(minute, counts), 'written');
  const after = await statistics.findOneAndUpdate({ _id: minute }, update, {
    upsert: true,
    returnDocument: 'after',
    projection: { written: 1 },
  });
  if (after?.written instanceof Date) return after.written;
  if (after) throw new ForeignDocumentsError([{ collection: statistics.collectionName, id: minute }]);
  throw new Error('The database did not return the statistics of a minute that were just written.');
}

/** Whether the counts of a statement that was applied at this time were added. */
export function isMinuteOf(minute: Date, now: Date): boolean {
  const sinceMs = now.getTime() - minute.getTime();
  return sinceMs >= -TOLERANCE_MS && sinceMs < MINUTE_MS + TOLERANCE_MS;
}

function addition(minute: Date, { total, byName }: GatheredCounts): Document[] {
  const names = [...byName].slice(0, MAX_NAMES);
  const sinceMs = { $subtract: ['$$NOW', minute] };
  const isNow = {
    $and: [{ $gte: [sinceMs, -TOLERANCE_MS] }, { $lt: [sinceMs, MINUTE_MS + TOLERANCE_MS] }],
  };
  const nameCount = { $size: { $objectToArray: { $ifNull: ['$names', {}] } } };
  const hasRoom = { $lte: [{ $add: [nameCount, names.length] }, MAX_NAMES] };
  const added = names.map(([name, counts]): [string, Document] => {
    const field = `names.${nameKey(name)}`;
    const isKnown = { $ne: [{ $type: `$${field}` }, 'missing'] };
    return [field, sumIf({ $and: ['$isNow', { $or: ['$hasRoom', isKnown] }] }, field, counts)];
  });
  return [
    { $set: { isNow, hasRoom } },
    {
      $set: {
        written: '$$NOW',
        expireAt: { $add: ['$$NOW', KEPT_MS] },
        total: sumIf('$isNow', 'total', total),
        ...Object.fromEntries(added),
      },
    },
    { $unset: ['isNow', 'hasRoom'] },
  ];
}

/** What stands in a field, with the counts that are not 0 added to it if the condition holds. Missing, it stays so if not. */
function sumIf(condition: Document | string, field: string, counts: Partial<AttemptCounts>): Document {
  const sums: Document = {};
  for (const name of countNames) {
    const count = counts[name] ?? 0;
    if (count > 0) sums[name] = { $add: [{ $ifNull: [`$${field}.${name}`, 0] }, count] };
  }
  return { $cond: [condition, { $mergeObjects: [`$${field}`, sums] }, `$${field}`] };
}
