import type { Collection } from 'mongodb';
import * as z from 'zod';
import { type JobDocument, type JobStatus, jobStatuses } from '../job/job.js';
import { byId } from '../mongo/by-index.js';
import { readPage } from '../mongo/read-page.js';
import { cursorOf, MAX_SEARCHED, type PageFilter, pageSize, toCursorText } from '../page-filter.js';
import { validateNow } from '../validate.js';
import { lastErrorOf, type ReadMember, resultFields } from './read-members.js';

/** Selects a page of the results of a batch or a workflow. */
export interface ResultsFilter extends PageFilter {
  /** Status of the jobs to list. Default: any. */
  readonly status?: JobStatus | undefined;
}

/** How a job of a batch or a workflow ended, or its present state. */
export interface JobResult {
  readonly id: string;
  /** Name of its kind. */
  readonly jobName: string;
  readonly status: JobStatus;
  /** Present once it has completed. */
  readonly output?: unknown;
  /** Message of its last error, unless it has completed. */
  readonly error?: string;
}

/** A page of results. */
export interface ResultPage<Result extends JobResult> {
  /** The results. Removed jobs are left out. */
  readonly results: readonly Result[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

const filterSchema = z.strictObject({
  status: z.enum(jobStatuses).optional(),
  ...pageSize,
  cursor: cursorOf(z.int().min(0)).optional(),
});

/**
 * Returns a page of results, in the order of the jobs' ids.
 *
 * @param size number of jobs of the group
 * @param idsOf returns the ids of the jobs from one number up to another, sorted
 * @throws ValidationError
 */
export async function listResults(
  jobs: Collection<JobDocument>,
  size: number,
  idsOf: (from: number, to: number) => readonly string[],
  filter: ResultsFilter = {},
): Promise<ResultPage<JobResult>> {
  const {
    status,
    limit,
    maxBytes,
    cursor: from = 0,
  } = validateNow(filterSchema, filter, 'Filter of results');
  const ids = idsOf(from, Math.min(size, from + (status ? MAX_SEARCHED : limit)));
  const among = { _id: { $in: [...ids] }, ...(status && { status }) };
  const projection = { ...resultFields, jobName: 1 } as const;
  const options = { projection, sort: { _id: 1 }, batchSize: limit + 1, ...byId } as const;
  const found = await readPage(jobs.find<ReadResult>(among, options), { limit, maxBytes });
  const last = found.documents.at(-1);
  const next = from + (found.hasMore && last ? ids.indexOf(last._id) + 1 : ids.length);
  return {
    results: found.documents.map(toResult),
    cursor: next < size && ids.length > 0 ? toCursorText(next) : undefined,
  };
}

type ReadResult = ReadMember & Pick<JobDocument, 'jobName'>;

function toResult({ _id: id, jobName, status, output, errors }: ReadResult): JobResult {
  if (status === 'completed') return { id, jobName, status, output };
  const error = lastErrorOf(errors);
  return { id, jobName, status, ...(error !== undefined && { error }) };
}
