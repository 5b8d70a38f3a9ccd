import type { Collection, Document } from 'mongodb';
import ms from 'ms';
import { ForeignDocumentsError } from '../errors.js';
import { unlessForeign } from '../mongo/unless-foreign.js';
import type { Histogram } from './histogram.js';
import {
  type AttemptCounts,
  MAX_LIMITS,
  MAX_NAMES,
  MINUTE_MS,
  nameKey,
  type StatisticsDocument,
  type WaitCounts,
} from './statistics-document.js';
import type { KindSums } from './sums.js';

/** How long counts are kept: a week, and one more day to compare with. */
const KEPT_MS = ms('8 days');

/** How far outside its minute a statement may arrive. The minute may end while the statement is under way. */
const TOLERANCE_MS = 5_000;

/** The counts since the last write, in total, by job name, and by name of limit. */
export interface GatheredCounts {
  readonly total: Partial<AttemptCounts>;
  readonly byName: ReadonlyMap<string, KindSums>;
  readonly byLimit: ReadonlyMap<string, WaitCounts>;
}

/**
 * Adds counts to the document of a minute, and returns the database's time. The counts are added only if the database's clock
 * confirms the minute. `isMinuteOf` tells whether it did. A caller whose clock was wrong tries again for the right minute.
 *
 * All workers share one document per minute. Each adds to it once a minute, and at the end of an invocation. MongoDB makes
 * hundreds of changes per second to one document, far more than there are invocations.
 *
 * @throws ForeignDocumentsError if a foreign document has the minute as its id. It is left unchanged
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

/** Returns whether a statement that was applied at this time added its counts. */
export function isMinuteOf(minute: Date, now: Date): boolean {
  const sinceMs = now.getTime() - minute.getTime();
  return sinceMs >= -TOLERANCE_MS && sinceMs < MINUTE_MS + TOLERANCE_MS;
}

function addition(minute: Date, { total, byName, byLimit }: GatheredCounts): Document[] {
  const sinceMs = { $subtract: ['$$NOW', minute] };
  const isNow = {
    $and: [{ $gte: [sinceMs, -TOLERANCE_MS] }, { $lt: [sinceMs, MINUTE_MS + TOLERANCE_MS] }],
  };
  const names = namedSums('names', byName, MAX_NAMES, 'hasRoom', kindMembers);
  const limits =
    byLimit.size > 0 ? namedSums('limits', byLimit, MAX_LIMITS, 'hasRoomForLimits', countMembers) : undefined;
  return [
    { $set: { isNow, hasRoom: names.hasRoom, ...(limits && { hasRoomForLimits: limits.hasRoom }) } },
    {
      $set: {
        written: '$$NOW',
        expireAt: { $add: ['$$NOW', KEPT_MS] },
        total: sumIf('$isNow', 'total', countMembers('total', total)),
        ...names.sums,
        ...limits?.sums,
      },
    },
    { $unset: ['isNow', 'hasRoom', ...(limits ? ['hasRoomForLimits'] : [])] },
  ];
}

/**
 * Returns the sums of counts by name.
 *
 * @param field field whose members are the names
 * @param room name of a field that tells whether all names have room, by the expression `hasRoom`
 * @param membersOf returns the members of a name's field
 */
function namedSums<Counts>(
  field: string,
  byName: ReadonlyMap<string, Counts>,
  max: number,
  room: string,
  membersOf: (field: string, counts: Counts) => Document,
): { readonly hasRoom: Document; readonly sums: Document } {
  const names = [...byName].slice(0, max);
  const nameCount = { $size: { $objectToArray: { $ifNull: [`$${field}`, {}] } } };
  const sums = names.map(([name, counts]): [string, Document] => {
    const member = `${field}.${nameKey(name)}`;
    const isKnown = { $ne: [{ $type: `$${member}` }, 'missing'] };
    const condition = { $and: ['$isNow', { $or: [`$${room}`, isKnown] }] };
    return [member, sumIf(condition, member, membersOf(member, counts))];
  });
  const hasRoom = { $lte: [{ $add: [nameCount, names.length] }, max] };
  return { hasRoom, sums: Object.fromEntries(sums) };
}

/** Returns a field's value with these members if the condition holds. Otherwise a missing field stays missing. */
function sumIf(condition: Document | string, field: string, members: Document): Document {
  return { $cond: [condition, { $mergeObjects: [`$${field}`, members] }, `$${field}`] };
}

function kindMembers(field: string, { counts, run, wait }: KindSums): Document {
  return {
    ...countMembers(field, counts),
    ...(run.size > 0 && { run: histogramSum(`${field}.run`, run) }),
    ...(wait.size > 0 && { wait: histogramSum(`${field}.wait`, wait) }),
  };
}

function histogramSum(field: string, histogram: Histogram): Document {
  return { $mergeObjects: [`$${field}`, countMembers(field, Object.fromEntries(histogram))] };
}

/** Returns members of a field plus the counts that are not 0. */
function countMembers(
  field: string,
  counts: Readonly<Record<string, number>> | Partial<AttemptCounts> | WaitCounts,
): Document {
  const sums: Document = {};
  for (const [name, count] of Object.entries(counts)) {
    if (count > 0) sums[name] = { $add: [{ $ifNull: [`$${field}.${name}`, 0] }, count] };
  }
  return sums;
}
