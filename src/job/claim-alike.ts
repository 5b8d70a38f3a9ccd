import { setTimeout as wait } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import { MAX_BACKOFF_MS } from './claim-jobs.js';
import { ClaimStatements, dueJobs, type LeaseRequest } from './claim-statements.js';
import type { ClaimedJob, JobDocument } from './job.js';
import { anyPriority, type ClaimFilter, isClaimable, isDue, takesNothing } from './queued-jobs.js';

/** How many jobs are looked at for each that a batch can take. Bounds the cost where other kinds wait in between. */
const LOOKED_AT_PER_JOB = 10;

/** How often a batch is filled again after other workers took some of its jobs. */
const MAX_TRIES = 5;

/**
 * Claims up to `limit` jobs of one kind and one queue for a batch. Takes only jobs that are among the next in the queue.
 * Costs three commands, or one if it finds no job. Looks at up to ten index keys for each job, however many others wait.
 *
 * @param filter with one name and one queue
 */
export async function claimAlike(
  jobs: Collection<JobDocument>,
  filter: ClaimFilter,
  lease: LeaseRequest,
  limit: number,
): Promise<ClaimedJob[]> {
  if (takesNothing(filter)) return [];
  const { jobNames, queues = [] } = filter;
  const first = { ...isClaimable, queue: { $in: [...queues] }, priority: anyPriority, ...isDue };
  const claim = new ClaimStatements(jobs, dueJobs(filter), lease);
  const alike = { jobName: { $in: [...jobNames] } };
  return untilUndisputed(limit, (wanted) =>
    claim.takeAmong({ first, lookedAt: wanted * LOOKED_AT_PER_JOB }, alike, wanted),
  );
}

/** Tries again while other workers take some of the jobs that were found. */
async function untilUndisputed(
  limit: number,
  take: (wanted: number) => Promise<{ readonly taken: readonly ClaimedJob[]; readonly found: number }>,
): Promise<ClaimedJob[]> {
  const claimed: ClaimedJob[] = [];
  for (let tries = 0; tries < MAX_TRIES && claimed.length < limit; tries += 1) {
    try {
      const { taken, found } = await take(limit - claimed.length);
      claimed.push(...taken);
      if (taken.length === found) break;
      await wait(Math.random() * MAX_BACKOFF_MS);
    } catch (error) {
      if (claimed.length === 0) throw error;
      break; // The jobs taken before must run, as in `claimJobs`.
    }
  }
  return claimed;
}
