import { createHash } from 'node:crypto';
import { BSON } from 'mongodb';
import type { NewJob } from '../job/insert-job.js';
import { inOwnBson } from '../mongo/own-bson.js';

/** Returns a digest of the jobs and their inputs. A different digest reveals another group with the same id. */
export function digestOf(jobs: readonly Pick<NewJob, 'jobName' | 'input'>[], more: unknown): string {
  const hash = createHash('sha256');
  for (const { jobName, input } of jobs)
    hash.update(BSON.serialize(inOwnBson({ jobName, input }), { ignoreUndefined: true }));
  hash.update(BSON.serialize(inOwnBson({ more }), { ignoreUndefined: true }));
  return hash.digest('base64url');
}
