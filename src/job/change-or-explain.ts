import { setTimeout as wait } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import { ConflictError, ForeignDocumentsError } from '../errors.js';
import { byId } from '../mongo/by-index.js';
import { requireJob } from './find-job.js';
import type { Job, JobDocument } from './job.js';
import { ourJob } from './jobs-collection.js';

/** Maximum number of tries. A job that leaves the state in which it was read needs milliseconds to return to it. */
const MAX_TRIES = 10;

/**
 * Maximum wait between tries. The wait is random, so that the tries do not coincide with a writer that changes the job
 * regularly.
 */
const MAX_WAIT_MS = 20;

/**
 * Changes a job by one conditional statement. If that matches nothing, reads the job to explain why. If the job has
 * changed in between and nothing speaks against the change any more, tries again.
 *
 * @param change returns undefined if its conditions matched nothing
 * @param refusal returns why the job cannot be changed, or undefined if it can
 * @throws NotFoundError, ForeignDocumentsError if a foreign document has the id, or ConflictError with the reason.
 *   Nothing was changed then
 */
export async function changeOrExplain<Result>(
  jobs: Collection<JobDocument>,
  id: string,
  change: () => Promise<Result | undefined>,
  refusal: (job: Job) => string | undefined,
): Promise<Result> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    if (tries > 0) await wait(Math.random() * MAX_WAIT_MS);
    const result = await change();
    if (result !== undefined) return result;
    await requireOwnJob(jobs, id);
    const reason = refusal(await requireJob(jobs, id));
    if (reason !== undefined) throw new ConflictError(id, reason);
  }
  throw new ConflictError(id, `Job '${id}' changes faster than it can be read: nothing was done. Try again.`);
}

/**
 * Throws if the document with this id belongs to another application. It may have been written after the collection was
 * checked.
 */
async function requireOwnJob(jobs: Collection<JobDocument>, id: string): Promise<void> {
  const isForeign = { _id: String(id), $nor: [ourJob] };
  if ((await jobs.findOne(isForeign, { projection: { _id: 1 }, ...byId })) !== null)
    throw new ForeignDocumentsError([{ collection: jobs.collectionName, id }]);
}
