import type { Collection, Filter } from 'mongodb';
import * as z from 'zod';
import { descendantsOf } from '../job/group.js';
import { type Job, type JobDocument, jobStatuses, shownFields, toJob } from '../job/job.js';
import type { ChildrenFilter } from '../job/jobs.js';
import type { JobPage } from '../job/list-jobs.js';
import { byId } from '../mongo/by-index.js';
import { readPage } from '../mongo/read-page.js';
import { cursorOf, MAX_SEARCHED, pageSize, toCursorText } from '../page-filter.js';
import { storableText } from '../storable-text.js';
import { validateNow } from '../validate.js';

const filterSchema = z.strictObject({
  status: z.enum(jobStatuses).optional(),
  ...pageSize,
  cursor: cursorOf(storableText).optional(),
});

const briefFields = { ...shownFields, input: 0, output: 0, progress: 0, 'errors.stack': 0 } as const;

/**
 * Returns the jobs below a job, at all levels. Each job is followed by those below it, as in a tree. The length of `parents`
 * gives its depth. Inputs, outputs, progress and stacks are left out. With a status, each page searches 5,000 jobs. It may have
 * fewer jobs than asked for, even none, and still a cursor to continue.
 *
 * @throws ValidationError
 */
export async function listTree(
  jobs: Collection<JobDocument>,
  parentId: string,
  filter: ChildrenFilter = {},
): Promise<JobPage> {
  const { status, limit, maxBytes, cursor } = validateNow(filterSchema, filter, 'Filter of jobs.children');
  const { _id, parents } = descendantsOf(parentId);
  const from = cursor !== undefined && cursor > _id.$gt ? cursor : _id.$gt;
  const searchedTo = status && (await lastSearched(jobs, { ..._id, $gt: from }));
  const to = searchedTo === undefined ? _id : { $lte: searchedTo };
  const below: Filter<JobDocument> = { _id: { ...to, $gt: from }, parents, ...(status && { status }) };
  const size = { limit: limit + 1, batchSize: limit + 1, sort: { _id: 1 }, projection: briefFields } as const;
  const { documents, hasMore } = await readPage(jobs.find(below, { ...size, ...byId }), { limit, maxBytes });
  const found: Job[] = documents.map(toJob);
  const next = hasMore ? documents.at(-1)?._id : searchedTo;
  return { jobs: found, cursor: next === undefined ? undefined : toCursorText(next) };
}

/** Returns the last id to search for a page of jobs with a status, or undefined if none are below. Reads only keys. */
async function lastSearched(jobs: Collection<JobDocument>, _id: Filter<string>): Promise<string | undefined> {
  const options = { projection: { _id: 1 }, sort: { _id: 1 }, skip: MAX_SEARCHED - 1, limit: 1 } as const;
  const [last] = await jobs.find({ _id }, { ...options, ...byId }).toArray();
  return last?._id;
}
