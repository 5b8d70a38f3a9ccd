import { isDeepStrictEqual } from 'node:util';
import { type Collection, type Document, type Filter, type FindOptions, MaxKey, MinKey } from 'mongodb';
import * as z from 'zod';
import { containing } from '../literal-pattern.js';
import { byOptionalIndex, type Index } from '../mongo/by-index.js';
import { orIndexMissing } from '../mongo/index-missing.js';
import { readPage } from '../mongo/read-page.js';
import { MAX_SEARCHED, type PageFilter, pageSize } from '../page-filter.js';
import { storableText } from '../storable-text.js';
import { validateNow } from '../validate.js';
import type { CappedCount } from './count-jobs.js';
import { byCreated, byEnd, byFailure, byJobName, byKey, byQueue } from './indexes.js';
import { type Job, type JobDocument, type JobStatus, jobStatuses, shownFields, toJob } from './job.js';
import { cursorSchema, type ListPlace, toCursor } from './list-cursor.js';
import { searchKeySchema } from './search-keys.js';

/** Conditions that jobs meet. */
export interface JobConditions {
  readonly status?: JobStatus | undefined;
  readonly jobName?: string | undefined;
  readonly queue?: string | undefined;
  /** Key of a group of failures. Selects the jobs in `error` that belong to it. */
  readonly failureKey?: string | undefined;
  /** A value of their input, such as `orderId=42`, if `orderId` is one of the `searchable` paths of their kind. */
  readonly key?: string | undefined;
  /** Part of the message of an error or of its causes, in upper or lower case. */
  readonly errorText?: string | undefined;
}

/** Selects jobs by when they ended. */
export interface EndedBetween {
  /** Leaves out jobs that ended before this moment. Costs no search with the status `error` or `cancelled` and no `key`. */
  readonly endedAfter?: Date | undefined;
  /** Leaves out jobs that ended at this moment or later. */
  readonly endedBefore?: Date | undefined;
}

/** Selects a page of jobs. `maxBytes` is their size as sent. */
export interface JobsFilter extends PageFilter, JobConditions, EndedBetween {
  /**
   * Order of the jobs by when they were added. With the status `error` or `cancelled` and no `key`, the order by when they
   * ended. Default: `newest` first.
   */
  readonly order?: 'newest' | 'oldest' | undefined;
  /** Leaves out inputs, outputs and stacks. */
  readonly brief?: boolean | undefined;
}

const conditions = {
  status: z.enum(jobStatuses).optional(),
  jobName: storableText.optional(),
  queue: storableText.optional(),
  failureKey: storableText.optional(),
  key: searchKeySchema.optional(),
  errorText: storableText.min(1).max(1000).optional(),
};

export const jobConditionsSchema = z.strictObject(conditions) satisfies z.ZodType<unknown, JobConditions>;

/** The fields of `EndedBetween`. */
export const endedBetweenFields = {
  endedAfter: z.date().optional(),
  endedBefore: z.date().optional(),
};

const filterSchema = z.strictObject({
  ...conditions,
  order: z.enum(['newest', 'oldest']).default('newest'),
  ...pageSize,
  cursor: cursorSchema.optional(),
  ...endedBetweenFields,
  brief: z.boolean().default(false),
}) satisfies z.ZodType<unknown, JobsFilter>;

/** Projection for brief lists, without the large fields. */
const briefFields = { ...shownFields, input: 0, output: 0, 'errors.stack': 0 } as const;

/** A page of the jobs that match a filter. */
export interface JobPage {
  readonly jobs: Job[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

/**
 * Lists jobs page by page. A job that exists throughout is listed exactly once, whatever is added or removed. Lists with
 * the status `error` or `cancelled` are ordered by when the jobs ended. They list a job exactly once if it keeps its status
 * throughout.
 *
 * With no condition, or with only a `key`, a `jobName` or the status `error` or `cancelled`, a page examines one more job
 * than it returns. So does a page with only a `queue`, if the database has that index (see `IndexOptions`). With a `key`,
 * it also examines the jobs added in the same millisecond as the last job of the page before.
 *
 * For another status, several conditions or `errorText`, a page searches at most 5,000 jobs by one index. It may then have
 * fewer jobs than `limit`, even none, but a cursor to continue. Pages of large jobs are shorter too, since a page holds at
 * most `maxBytes` as JSON, or a single job.
 *
 * @param before in a list with the oldest first, leaves out jobs that were added, or ended, at this moment or later
 * @throws ValidationError for an invalid filter or a cursor that no page returned
 */
export async function listJobs(
  jobs: Collection<JobDocument>,
  filter: JobsFilter = {},
  before?: Date,
): Promise<JobPage> {
  const valid = validateNow(filterSchema, filter, 'Filter of jobs');
  const list = bestIndex(valid);
  if (list.index !== byQueue) return orIndexMissing(pageBy(jobs, valid, list, before));
  return byOptionalIndex(
    jobs,
    byQueue,
    () => pageBy(jobs, valid, list, before),
    () => orIndexMissing(pageBy(jobs, valid, allJobs, before)),
  );
}

async function pageBy(
  jobs: Collection<JobDocument>,
  valid: z.output<typeof filterSchema>,
  list: ListIndex,
  before: Date | undefined,
): Promise<JobPage> {
  const {
    limit,
    maxBytes,
    order,
    cursor,
    errorText,
    brief: isBrief,
    endedAfter,
    endedBefore,
    ...equal
  } = valid;
  const isByEnd = list.time === 'completed';
  const conditions = { ...conditionsOf(equal), ...(!isByEnd && endedBetween(endedAfter, endedBefore)) };
  const stretch: Stretch = {
    list,
    order,
    after: cursor,
    since: isByEnd ? endedAfter : undefined,
    before: earlier(before, isByEnd ? endedBefore : undefined),
  };
  if (isEmpty(stretch)) return { jobs: [], cursor: undefined };
  // A job with the key has failed.
  const isServed =
    errorText === undefined &&
    (isDeepStrictEqual(conditions, list.by) ||
      (list.index === byFailure && isDeepStrictEqual(conditions, { ...list.by, status: 'error' })));
  const upTo = isServed ? undefined : await lastToScan(jobs, stretch);
  const { within, ...scan } = scanOf(stretch, upTo);
  const query = { ...conditions, ...within, ...(errorText !== undefined && hasErrorWith(errorText)) };
  // Asks for all documents in the first batch. Whatever exceeds the size of a reply comes in further batches.
  const size = { limit: limit + 1, batchSize: limit + 1, projection: isBrief ? briefFields : shownFields };
  const found = jobs.find(query, { ...scan, ...size });
  const { documents, hasMore } = await readPage(found, { limit, maxBytes });
  const last = documents.at(-1);
  const next = hasMore && last ? placeOf(last, list) : upTo;
  return { jobs: documents.map(toJob), cursor: next && toCursor(next) };
}

/** Counts the jobs that match a filter, among the first 5,000 that its index holds. `isCapped` tells that there are more. */
export async function countMatching(
  jobs: Collection<JobDocument>,
  filter: JobConditions & EndedBetween,
): Promise<CappedCount> {
  const { errorText, endedAfter, endedBefore, ...equal } = filter;
  const list = bestIndex(equal);
  const isByEnd = list.time === 'completed';
  const count = async (chosen: ListIndex): Promise<CappedCount> => {
    const stretch: Stretch = {
      list: chosen,
      order: 'newest',
      after: undefined,
      since: isByEnd ? endedAfter : undefined,
      before: isByEnd ? endedBefore : undefined,
    };
    if (isEmpty(stretch)) return { count: 0, isCapped: false };
    const upTo = await lastToScan(jobs, stretch);
    const { within, ...scan } = scanOf(stretch, upTo);
    const query = {
      ...conditionsOf(equal),
      ...(!isByEnd && endedBetween(endedAfter, endedBefore)),
      ...within,
      ...(errorText !== undefined && hasErrorWith(errorText)),
    };
    const options = { ...scan, projection: { _id: 1 }, batchSize: MAX_SEARCHED + 1 };
    const found = await jobs.find(query, options).toArray();
    return { count: found.length, isCapped: upTo !== undefined };
  };
  if (list.index !== byQueue) return orIndexMissing(count(list));
  return byOptionalIndex(
    jobs,
    byQueue,
    () => count(list),
    () => orIndexMissing(count(allJobs)),
  );
}

/** An index for lists: by one field or none, then a time, then `_id`. */
interface ListIndex {
  readonly index: Index;
  /** First field of the index with its value. Empty for the index of all jobs. */
  readonly by: Document;
  readonly time: 'created' | 'completed';
}

/** The part of a list that follows a position. */
interface Stretch {
  readonly list: ListIndex;
  readonly order: 'newest' | 'oldest';
  readonly after: ListPlace | undefined;
  /** The first moment that belongs to it. */
  readonly since: Date | undefined;
  /** The first moment behind it. */
  readonly before: Date | undefined;
}

/**
 * Returns whether a stretch has no room. MongoDB would refuse it. Bounds may move between pages, so a stretch that begins
 * behind its bounds has no room either.
 */
function isEmpty({ order, after, since, before }: Stretch): boolean {
  if (since && before && since >= before) return true;
  if (!after) return false;
  return order === 'newest'
    ? since !== undefined && after.at < since
    : before !== undefined && after.at >= before;
}

function earlier(one: Date | undefined, other: Date | undefined): Date | undefined {
  if (!one || !other) return one ?? other;
  return one < other ? one : other;
}

function endedBetween(after: Date | undefined, before: Date | undefined): Document {
  if (!after && !before) return {};
  return { completed: { ...(after && { $gte: after }), ...(before && { $lt: before }) } };
}

const allJobs: ListIndex = { index: byCreated, by: {}, time: 'created' };

/**
 * Returns the most selective index. Few jobs share a value of their input, few fail or are cancelled, and a name has fewer
 * jobs than a queue.
 */
function bestIndex({ status, jobName, queue, failureKey, key }: JobConditions): ListIndex {
  if (key !== undefined) return { index: byKey, by: { keys: key }, time: 'created' };
  if (failureKey !== undefined) return { index: byFailure, by: { failureKey }, time: 'completed' };
  if (status === 'error' || status === 'cancelled')
    return { index: byEnd, by: { status }, time: 'completed' };
  if (jobName !== undefined) return { index: byJobName, by: { jobName }, time: 'created' };
  return queue === undefined ? allJobs : { index: byQueue, by: { queue }, time: 'created' };
}

/** Matches a user's text literally, never as a pattern. */
function hasErrorWith(text: string): Filter<JobDocument> {
  const matches = containing(text);
  return { $or: [{ 'errors.message': matches }, { 'errors.causes.message': matches }] };
}

/** Returns the last position that may be searched, if more jobs follow it. Reads only index keys, no documents. */
async function lastToScan(jobs: Collection<JobDocument>, stretch: Stretch): Promise<ListPlace | undefined> {
  const projection = { [stretch.list.time]: 1, _id: 1 };
  const { within, ...scan } = scanOf(stretch);
  const last = await jobs.findOne(within, { ...scan, projection, skip: MAX_SEARCHED - 1 });
  return last ? placeOf(last, stretch.list) : undefined;
}

function conditionsOf({ key: keys, ...equal }: Omit<JobConditions, 'errorText'>): Document {
  return Object.fromEntries(Object.entries({ ...equal, keys }).filter(([, value]) => value !== undefined));
}

function placeOf(job: Pick<JobDocument, '_id' | 'created' | 'completed'>, { time }: ListIndex): ListPlace {
  return { at: job[time] ?? job.created, id: job._id };
}

/**
 * Returns options that read a stretch to its end, or up to and including a position. Uses bounds on index keys, because
 * a condition on two fields ("created earlier, or at the same time with a smaller id") does not bound the scan. With
 * many jobs added at once, each page would read all earlier ones again. `min` is inclusive and `max` is exclusive.
 */
function scanOf(stretch: Stretch, upTo?: ListPlace): FindOptions & { readonly within: Filter<JobDocument> } {
  const { list, order, after, since, before } = stretch;
  const { index, by, time } = list;
  if (index === byKey) return scanOfKey(stretch, upTo);
  const direction = order === 'newest' ? -1 : 1;
  const pattern = { ...by, [time]: 1, _id: 1 };
  const at = (place: ListPlace): Document => ({ [time]: place.at, _id: place.id });
  // No id lies between an id and the same id with a NUL, which ids never contain.
  const behind = (place: ListPlace): Document => ({ [time]: place.at, _id: `${place.id}\0` });
  const lowest = { [time]: since ?? new MinKey(), _id: new MinKey() };
  const highest = before
    ? { [time]: before, _id: new MinKey() }
    : { [time]: new MaxKey(), _id: new MaxKey() };
  const ends =
    order === 'newest'
      ? { min: upTo ? at(upTo) : lowest, max: after ? at(after) : highest }
      : { min: after ? behind(after) : lowest, max: upTo ? behind(upTo) : highest };
  return {
    within: {},
    hint: index.key,
    sort: mapValues(pattern, () => direction),
    min: { ...by, ...ends.min },
    max: { ...by, ...ends.max },
  };
}

/**
 * Does what `scanOf` does, for the index of keys. A job has several entries in that index. So MongoDB can sort by it
 * only under a condition on the key. The bounds `min` and `max` do not suffice.
 */
function scanOfKey(
  { list: { index, by }, order, after, before }: Stretch,
  upTo: ListPlace | undefined,
): ReturnType<typeof scanOf> {
  const [direction, beyond] = order === 'newest' ? ([-1, '$lt'] as const) : ([1, '$gt'] as const);
  const back = order === 'newest' ? '$gt' : '$lt';
  const bounds: Filter<JobDocument>[] = [
    ...(after ? [past(beyond, after), { created: { [`${beyond}e`]: after.at } }] : []),
    ...(upTo ? [past(back, upTo, 'e'), { created: { [`${back}e`]: upTo.at } }] : []),
    ...(before ? [{ created: { $lt: before } }] : []),
  ];
  const within = { ...by, ...(bounds.length > 0 && { $and: bounds }) };
  return { within, hint: index.key, sort: { created: direction, _id: direction } };
}

/** Matches what lies on this side of a position. @param orEqual `e` to include the position */
function past(side: '$lt' | '$gt', { at, id }: ListPlace, orEqual: 'e' | '' = ''): Filter<JobDocument> {
  return { $or: [{ created: { [side]: at } }, { created: at, _id: { [`${side}${orEqual}`]: id } }] };
}

function mapValues<Value>(object: Document, toValue: () => Value): Record<string, Value> {
  return Object.fromEntries(Object.keys(object).map((key) => [key, toValue()]));
}
