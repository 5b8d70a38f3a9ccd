import type { Collection, Document } from 'mongodb';
import type { Collections } from '../../src/collections/collections.js';
import type { JobDocument } from '../../src/job/job.js';

/**
 * Returns the first moment after `now` at which a job or a scheduler item becomes due, or a lease expires. Returns
 * undefined if there is none up to `until`. All moments are milliseconds since the epoch.
 */
export async function findNextMoment(
  { jobs, scheduler }: Pick<Collections, 'jobs' | 'scheduler'>,
  now: number,
  until: number,
): Promise<number | undefined> {
  const soon = { $gt: new Date(now), $lte: new Date(until) };
  const first = (field: string, conditions: Document) => [
    { $match: { ...conditions, [field]: soon } },
    { $sort: { [field]: 1 } },
    { $limit: 1 },
    { $project: { _id: 0, moment: `$${field}` } },
  ];
  const ofJobs = (pipeline: Document[]) => ({ $unionWith: { coll: jobs.collectionName, pipeline } });
  const stages = [
    ...first('nextCallTime', { active: true }),
    ofJobs(first('runAt', { status: 'queued' })),
    ofJobs(first('lease.expires', { status: 'processing' })),
  ];
  const found = await scheduler.aggregate<{ readonly moment: Date }>(stages).toArray();
  return found.length > 0 ? Math.min(...found.map(({ moment }) => moment.getTime())) : undefined;
}

/**
 * Returns the moment at which recovery has certainly taken a running job from its worker, in milliseconds since the epoch.
 * This is half a lease after the lease has expired, even if the worker holds other jobs. Returns undefined for a job
 * without a lease.
 */
export async function findRecovery(jobs: Collection<JobDocument>, id: string): Promise<number | undefined> {
  const job = await jobs.findOne({ _id: id }, { projection: { lease: 1 } });
  return job?.lease && job.lease.expires.getTime() + job.lease.lengthMs / 2;
}
