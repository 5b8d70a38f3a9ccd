import type { ClientSession, Collection, Filter } from 'mongodb';
import * as z from 'zod';
import { NotFoundError } from '../errors.js';
import { validateNow } from '../validate.js';
import { type Job, type JobDocument, jobStatuses, toJob } from './job.js';

const filterSchema = z.strictObject({
  status: z.enum(jobStatuses).optional(),
  jobName: z.string().optional(),
  queue: z.string().optional(),
  after: z.string().optional(),
  limit: z.int().min(1).max(1000).default(100),
});

/**
 * Which jobs to list: by `status`, `jobName`, `queue`; at most `limit` (1 to 1000, default 100), in the order
 * of their ids. For the next page pass the last id as `after`.
 */
export type JobsFilter = z.input<typeof filterSchema>;

/** Lists jobs. @throws ValidationError for a filter that is not a `JobsFilter` */
export async function findJobs(jobs: Collection<JobDocument>, filter: JobsFilter = {}): Promise<Job[]> {
  const { limit, after, status, jobName, queue } = validateNow(filterSchema, filter, 'Filter of getJobs');
  const query: Filter<JobDocument> = {
    ...(status && { status }),
    ...(jobName !== undefined && { jobName }),
    ...(queue !== undefined && { queue }),
    ...(after !== undefined && { _id: { $gt: after } }),
  };
  const documents = await jobs.find(query, { sort: { _id: 1 }, limit }).toArray();
  return documents.map(toJob);
}

/** The job with this id, or undefined. */
export async function findJob(
  jobs: Collection<JobDocument>,
  id: string,
  session?: ClientSession,
): Promise<Job | undefined> {
  const document = await jobs.findOne({ _id: String(id) }, session ? { session } : {});
  return document ? toJob(document) : undefined;
}

/** The job with this id. @throws NotFoundError */
export async function requireJob(
  jobs: Collection<JobDocument>,
  id: string,
  session?: ClientSession,
): Promise<Job> {
  const job = await findJob(jobs, id, session);
  if (job) return job;
  throw new NotFoundError('job', id);
}
