import type { Collection } from 'mongodb';
import { ClaimStatements, type LeaseRequest } from './claim-statements.js';
import { heldBackJobs } from './indexes.js';
import type { ClaimedJob, JobDocument } from './job.js';
import { type ClaimFilter, heldBack, isDue, queuedJobs, takesNothing } from './queued-jobs.js';

/**
 * Claims one of the jobs that other claims do not see: jobs that were lost with their worker, and jobs of an earlier
 * version that are not marked yet. The worker must run nothing else meanwhile. Jobs come in the usual order. Costs one
 * command.
 *
 * @param filter without the queues that are paused
 */
export async function claimJobAlone(
  jobs: Collection<JobDocument>,
  filter: ClaimFilter,
  lease: LeaseRequest,
): Promise<ClaimedJob[]> {
  if (takesNothing(filter)) return [];
  const alone = queuedJobs(filter, isDue, heldBack);
  const due = { filter: alone, filterWithoutIndex: alone, index: heldBackJobs };
  return new ClaimStatements(jobs, due, lease).takeFirst();
}
