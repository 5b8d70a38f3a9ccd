import { type Collection, type Document, type Filter, type FindOptions, MaxKey, MinKey } from 'mongodb';
import * as z from 'zod';
import { orIndexMissing } from '../mongo/index-missing.js';
import { validateNow } from '../validate.js';
import { type Job, type JobDocument, jobStatuses, toJob, withoutLog } from './job.js';
import { storableText } from './job-options.js';
import { cursorSchema, type ListPlace, toCursor } from './list-cursor.js';

/** So many documents may a request examine where no index knows the answer: some ten milliseconds. */
const MAX_SCANNED = 5_000;

const filterSchema = z.strictObject({
  status: z.enum(jobStatuses).optional(),
  jobName: storableText.optional(),
  queue: storableText.optional(),
  errorText: storableText.min(1).max(1000).optional(),
  order: z.enum(['newest', 'oldest']).default('newest'),
  limit: z.int().min(1).max(1000).default(100),
  cursor: cursorSchema.optional(),
});

/**
 * Which jobs to list: by `status`, `jobName`, `queue`, and by `errorText`, which is in the message of one of their
 * errors, whatever its case. The `newest` come first, or the `oldest`, by `created`. At most `limit` (1 to 1000, default
 * 100) of them, from the `cursor` on that a page before gave.
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
 * By one of `status`, `jobName` and `queue`, or none, it examines as many jobs as it gives, and one more. By several, or
 * by `errorText`, it looks through at most 5,000 jobs, by one index: then a page may have fewer jobs than `limit`, even
 * none, and a cursor to go on with.
 *
 * @throws ValidationError for a filter that is not a `JobsFilter`, or a cursor that no page gave
 */
export async function listJobs(jobs: Collection<JobDocument>, filter: JobsFilter = {}): Promise<JobPage> {
  const { limit, order, cursor, errorText, ...equal } = validateNow(filterSchema, filter, 'Filter of jobs');
  const conditions = Object.fromEntries(Object.entries(equal).filter(([, value]) => value !== undefined));
  const stretch: Stretch = { by: bestIndexed(conditions), order, after: cursor };
  const isServed = errorText === undefined && Object.keys(conditions).length <= 1;
  const upTo = isServed ? undefined : await lastToScan(jobs, stretch);
  const query = { ...conditions, ...(errorText !== undefined && hasErrorWith(errorText)) };
  const scan = scanOf(stretch, upTo);
  // In one command. Not a single batch: what is more than a reply may hold comes in another.
  const size = { limit: limit + 1, batchSize: limit + 1, projection: withoutLog };
  const found = await orIndexMissing(jobs.find(query, { ...scan, ...size }).toArray());
  const listed = found.slice(0, limit);
  const last = listed.at(-1);
  const next = found.length > limit && last ? { created: last.created, id: last._id } : upTo;
  return { jobs: listed.map(toJob), cursor: next && toCursor(next) };
}

/** A part of one of the indexes for lists: from a place on. */
interface Stretch {
  /** The field, and its value, that the index begins with; empty for the index of all jobs. */
  readonly by: Document;
  readonly order: 'newest' | 'oldest';
  readonly after: ListPlace | undefined;
}

/**
 * The condition that an index is to serve. Few jobs have another status than `completed`, for settled ones stay and the
 * others go; those of one name are fewer than those of a queue.
 */
function bestIndexed({ status, jobName, queue }: Document): Document {
  if (status !== undefined && status !== 'completed') return { status };
  if (jobName !== undefined) return { jobName };
  if (queue !== undefined) return { queue };
  return status === undefined ? {} : { status };
}

/** Text of a user is compared as it is, and never becomes a pattern. */
function hasErrorWith(text: string): Filter<JobDocument> {
  const pattern = text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return { 'errors.message': { $regex: pattern, $options: 'i' } };
}

/** The last place to look at, when more follow. Its scan reads keys of the index, and no document. */
async function lastToScan(jobs: Collection<JobDocument>, stretch: Stretch): Promise<ListPlace | undefined> {
  const projection = { created: 1, _id: 1 };
  const options = { ...scanOf(stretch), projection, skip: MAX_SCANNED - 1 };
  const last = await orIndexMissing(jobs.findOne({}, options));
  return last ? { created: last.created, id: last._id } : undefined;
}

/**
 * How to read a stretch, to its end or up to a place, which is included. Ends of an index's keys, because a condition on
 * two fields, "created earlier, or at the same time under a lesser id", bounds no scan: of many jobs that were added at
 * once each page would read those before it again. What `min` says is included, what `max` says is not.
 */
function scanOf({ by, order, after }: Stretch, upTo?: ListPlace): FindOptions {
  const direction = order === 'newest' ? -1 : 1;
  const pattern = { ...mapValues(by, () => 1), created: 1, _id: 1 };
  const lowest = { created: new MinKey(), _id: new MinKey() };
  const highest = { created: new MaxKey(), _id: new MaxKey() };
  const ends =
    order === 'newest'
      ? { min: upTo ? at(upTo) : lowest, max: after ? at(after) : highest }
      : { min: after ? behind(after) : lowest, max: upTo ? behind(upTo) : highest };
  return {
    hint: pattern,
    sort: mapValues(pattern, () => direction),
    min: { ...by, ...ends.min },
    max: { ...by, ...ends.max },
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
