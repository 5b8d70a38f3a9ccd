import type { ClientSession, Collection } from 'mongodb';
import { NotFoundError } from '../errors.js';
import { isJob, type Job, type JobDocument, shownFields, toJob } from './job.js';

/** Returns the job with this id, or undefined. Foreign documents are not jobs. */
export async function findJob(
  jobs: Collection<JobDocument>,
  id: string,
  session?: ClientSession,
): Promise<Job | undefined> {
  const options = { projection: shownFields, ...(session && { session }) };
  const document = await jobs.findOne({ _id: String(id) }, options);
  return document && isJob(document) ? toJob(document) : undefined;
}

/** Returns the job with this id. @throws NotFoundError */
export async function requireJob(
  jobs: Collection<JobDocument>,
  id: string,
  session?: ClientSession,
): Promise<Job> {
  const job = await findJob(jobs, id, session);
  if (job) return job;
  throw new NotFoundError('job', id);
}
