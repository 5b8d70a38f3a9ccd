import { setTimeout as wait } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import { ConflictError } from '../errors.js';
import { requireJob } from './find-job.js';
import type { Job, JobDocument } from './job.js';

/** A job goes round in milliseconds at best: whoever meets it in a state that it has just left tries again. */
const MAX_TRIES = 10;

/** Between tries, at most: whoever changes the job at the same pace as it is read is met at another moment. */
const MAX_WAIT_MS = 20;

/**
 * Changes a job by one conditional statement and, where that matched nothing, tells why by another that reads it. The job
 * may have changed between the two, so that what was read explains nothing: then it is tried again.
 *
 * @param change undefined when its conditions matched nothing
 * @param refusal why a job that was read cannot be changed; undefined when it could
 * @throws NotFoundError, or ConflictError with the reason: nothing was changed
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
    const reason = refusal(await requireJob(jobs, id));
    if (reason !== undefined) throw new ConflictError(id, reason);
  }
  throw new ConflictError(id, `Job '${id}' changes faster than it can be read: nothing was done. Try again.`);
}
