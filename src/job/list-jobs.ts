import { isDeepStrictEqual } from 'node:util';
import { type Collection, type Document, type Filter, type FindOptions, MaxKey, MinKey } from 'mongodb';
import * as z from 'zod';
import { byOptionalIndex, type Index } from '../mongo/by-index.js';
import { orIndexMissing } from '../mongo/index-missing.js';
import { readPage } from '../mongo/read-page.js';
import { pageSize } from '../page-filter.js';
import { validateNow } from '../validate.js';
import { byCreated, byJobName, byQueue, byUnsuccessful } from './indexes.js';
import { type Job, type JobDocument, jobStatuses, shownFields, toJob } from './job.js';
import { cursorSchema, type ListPlace, toCursor } from './list-cursor.js';
import { storableText } from './storable-text.js';

/** So many documents may a request examine where no index knows the answer: some ten milliseconds. */
const MAX_SCANNED = 5_000;

const filterSchema = z.strictObject({
  status: z.enum(jobStatuses).optional(),
  jobName: storableText.optional(),
  queue: storableText.optional(),
  errorText: storableText.min(1).max(1000).optional(),
  order: z.enum(['newest', 'oldest']).default('newest'),
  ...pageSize,
  cursor: cursorSchema.optional(),
  brief: z.boolean().default(false),
});

/** The large fields, which no list shows. */
const briefFields = { ...shownFields, input: 0, output: 0, 'errors.stack': 0 } as const;

/**
 * Which jobs to list: by `status`, `jobName`, `queue`, and by `errorText`, which is in the message of one of their
 * errors, or of what was behind it, whatever its case. The `newest` come first, or the `oldest`, by `created`. At most `limit` (1 to 1000, default
 * 100) of them, and at most `maxBytes` as they are sent (by default 5 MB, which is the most), from the `cursor` on that a page
 * before gave. With `brief`, they come without inputs, outputs and stacks, as a table shows them.
 */
export type JobsFilter = z.input<typeof filterSchema>;

/** Some of the jobs that a filter is about. */
export interface JobPage {
  readonly jobs: Job[];
  /** For the next page; undefined at the end. */
  readonly cursor: string | undefined;
}

/**
 * Lists jobs, page by page: each job that is there all the while comes exactly once, whatever is added or removed.
 *
 * All, or by one of `jobName` and the statuses `error` and `cancelled`, it examines as many jobs as it gives, and one more;
 * by `queue` too if the database has that index (see `IndexOptions`). By another status, by several conditions or by
 * `errorText`, it looks through at most 5,000 jobs, by one index: then a page may have fewer jobs than `limit`, even none,
 * and a cursor to go on with. So it may when its jobs are large: a page has at most `maxBytes` as it is sent as
 * JSON, or a single job.
 *
 * @throws ValidationError for a filter that is not a `JobsFilter`, or a cursor that no page gave
 */
export async function listJobs(jobs: Collection<JobDocument>, filter: JobsFilter = {}): Promise<JobPage> {
  const valid = validateNow(filterSchema, filter, 'Filter of jobs');
  const list = bestIndex(valid);
  if (list.index !== byQueue) return orIndexMissing(pageBy(jobs, valid, list));
  return byOptionalIndex(
    jobs,
    byQueue,
    () => pageBy(jobs, valid, list),
    () => orIndexMissing(pageBy(jobs, valid, allJobs)),
  );
}

async function pageBy(
  jobs: Collection<JobDocument>,
  { limit, maxBytes, order, cursor, errorText, brief: isBrief, ...equal }: z.output<typeof filterSchema>,
  list: ListIndex,
): Promise<JobPage> {
  const conditions = Object.fromEntries(Object.entries(equal).filter(([, value]) => value !== undefined));
  const stretch: Stretch = { list, order, after: cursor };
  const isServed = errorText === undefined && isDeepStrictEqual(conditions, list.by);
  const upTo = isServed ? undefined : await lastToScan(jobs, stretch);
  const query = { ...conditions, ...(errorText !== undefined && hasErrorWith(errorText)) };
  const scan = scanOf(stretch, upTo);
  // In one command. Not a single batch: what is more than a reply may hold comes in another.
  const size = { limit: limit + 1, batchSize: limit + 1, projection: isBrief ? briefFields : shownFields };
  const found = jobs.find(query, { ...scan, ...size });
  const { documents, hasMore } = await readPage(found, { limit, maxBytes });
  const last = documents.at(-1);
  const next = hasMore && last ? { created: last.created, id: last._id } : upTo;
  return { jobs: documents.map(toJob), cursor: next && toCursor(next) };
}

/** One of the indexes for lists: by a field, or none, then `created`, then `_id`. */
interface ListIndex {
  readonly index: Index;
  /** The field, and its value, that the index begins with; empty for the index of all jobs. */
  readonly by: Document;
  /** Fields that come last. */
  readonly rest?: Document;
}

/** A part of it: from a place on. */
interface Stretch {
  readonly list: ListIndex;
  readonly order: 'newest' | 'oldest';
  readonly after: ListPlace | undefined;
}

const allJobs: ListIndex = { index: byCreated, by: {} };

/** Few jobs fail or are cancelled; those of one name are fewer than those of a queue. */
function bestIndex({ status, jobName, queue }: z.output<typeof filterSchema>): ListIndex {
  if (status === 'error' || status === 'cancelled')
    return { index: byUnsuccessful, by: { status }, rest: { completed: new MinKey() } };
  if (jobName !== undefined) return { index: byJobName, by: { jobName } };
  return queue === undefined ? allJobs : { index: byQueue, by: { queue } };
}

/** Text of a user is compared as it is, and never becomes a pattern. */
function hasErrorWith(text: string): Filter<JobDocument> {
  const pattern = text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const matches = { $regex: pattern, $options: 'i' };
  return { $or: [{ 'errors.message': matches }, { 'errors.causes.message': matches }] };
}

/** The last place to look at, when more follow. Its scan reads keys of the index, and no document. */
async function lastToScan(jobs: Collection<JobDocument>, stretch: Stretch): Promise<ListPlace | undefined> {
  const projection = { created: 1, _id: 1 };
  const options = { ...scanOf(stretch), projection, skip: MAX_SCANNED - 1 };
  const last = await jobs.findOne({}, options);
  return last ? { created: last.created, id: last._id } : undefined;
}

/**
 * How to read a stretch, to its end or up to a place, which is included. Ends of an index's keys, because a condition on
 * two fields, "created earlier, or at the same time under a lesser id", bounds no scan: of many jobs that were added at
 * once each page would read those before it again. What `min` says is included, what `max` says is not.
 */
function scanOf({ list: { index, by, rest }, order, after }: Stretch, upTo?: ListPlace): FindOptions {
  const direction = order === 'newest' ? -1 : 1;
  const pattern = { ...by, created: 1, _id: 1, ...rest };
  const lowest = { created: new MinKey(), _id: new MinKey() };
  const highest = { created: new MaxKey(), _id: new MaxKey() };
  const ends =
    order === 'newest'
      ? { min: upTo ? at(upTo) : lowest, max: after ? at(after) : highest }
      : { min: after ? behind(after) : lowest, max: upTo ? behind(upTo) : highest };
  return {
    hint: index.key,
    sort: mapValues(pattern, () => direction),
    min: { ...by, ...ends.min, ...rest },
    max: { ...by, ...ends.max, ...rest },
  };
}

function at({ created, id }: ListPlace): Document {
  return { created, _id: id };
}

/** No text lies between one and the same with a NUL, which no id has. */
function behind({ created, id }: ListPlace): Document {
  return { created, _id: `${id}\0` };
}

function mapValues<Value>(object: Document, toValue: () => Value): Record<string, Value> {
  return Object.fromEntries(Object.keys(object).map((key) => [key, toValue()]));
}
