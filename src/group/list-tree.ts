import type { Collection, Filter } from 'mongodb';
import * as z from 'zod';
import { descendantsOf } from '../job/group.js';
import { type Job, type JobDocument, jobStatuses, shownFields, toJob } from '../job/job.js';
import type { ChildrenFilter } from '../job/jobs.js';
import type { JobPage } from '../job/list-jobs.js';
import { byId } from '../mongo/by-index.js';
import { readPage } from '../mongo/read-page.js';
import { cursorOf, pageSize, toCursorText } from '../page-filter.js';
import { storableText } from '../storable-text.js';
import { validateNow } from '../validate.js';

const filterSchema = z.strictObject({
  status: z.enum(jobStatuses).optional(),
  ...pageSize,
  cursor: cursorOf(storableText).optional(),
});

const briefFields = { ...shownFields, input: 0, output: 0, progress: 0, 'errors.stack': 0 } as const;

/**
 * Returns the jobs below a job, at all levels. Each is followed by those below it, as in a tree. `parents` tells how deep it
 * is. Inputs, outputs, progress and stacks are left out.
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
  const below: Filter<JobDocument> = { _id: { ..._id, $gt: from }, parents, ...(status && { status }) };
  const size = { limit: limit + 1, batchSize: limit + 1, sort: { _id: 1 }, projection: briefFields } as const;
  const { documents, hasMore } = await readPage(jobs.find(below, { ...size, ...byId }), { limit, maxBytes });
  const last = documents.at(-1);
  const found: Job[] = documents.map(toJob);
  return { jobs: found, cursor: hasMore && last ? toCursorText(last._id) : undefined };
}
