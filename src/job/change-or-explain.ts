import { setTimeout as wait } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import { ConflictError, ForeignDocumentsError } from '../errors.js';
import { byId } from '../mongo/by-index.js';
import { requireJob } from './find-job.js';
import type { Job, JobDocument } from './job.js';
import { ourJob } from './jobs-collection.js';

/** Maximum number of tries. A job may just have left the state it was read in, but it needs milliseconds to return to it. */
const MAX_TRIES = 10;

/** Maximum wait between tries. A random wait breaks the rhythm of a writer that changes the job as fast as it is read. */
const MAX_WAIT_MS = 20;

/**
 * Changes a job by one conditional statement. If that matched nothing, reads the job to explain why. The job may have
 * changed between the two, so that the explanation fails. The change is then tried again.
 *
 * @param change returns undefined when its conditions matched nothing
 * @param refusal returns why the job cannot be changed, or undefined when it can
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

/** Checks for another application's document, which changes never match. It may be newer than the check of the collection. */
async function requireOwnJob(jobs: Collection<JobDocument>, id: string): Promise<void> {
  const isForeign = { _id: String(id), $nor: [ourJob] };
  if ((await jobs.findOne(isForeign, { projection: { _id: 1 }, ...byId })) !== null)
    throw new ForeignDocumentsError([{ collection: jobs.collectionName, id }]);
}
