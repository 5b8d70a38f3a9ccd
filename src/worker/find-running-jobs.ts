import type { Collection } from 'mongodb';
import { leaseExpiry } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { orIndexMissing } from '../mongo/index-missing.js';

/** A job that a worker runs. */
export interface RunningJob {
  readonly id: string;
  readonly jobName: string;
  readonly queue: string;
  /** The name of the worker, which is the id of a `LiveWorker`. */
  readonly worker: string;
  /** When the attempt began. */
  readonly started: Date | undefined;
}

type Found = Pick<JobDocument, '_id' | 'jobName' | 'queue' | 'lease' | 'started'>;

/** Returns the running jobs. Jobs whose leases expire first come first. */
export async function findRunningJobs(jobs: Collection<JobDocument>, limit: number): Promise<RunningJob[]> {
  const running = { status: 'processing', 'lease.expires': { $gt: new Date(0) } } as const;
  const projection = { jobName: 1, queue: 1, lease: 1, started: 1 };
  const options = { sort: { 'lease.expires': 1 }, limit, batchSize: limit + 1, projection } as const;
  const found = await orIndexMissing(
    jobs.find<Found>(running, { ...options, hint: leaseExpiry.name }).toArray(),
  );
  return found.map(({ _id: id, jobName, queue, lease, started }) => ({
    ...{ id, jobName, queue, worker: lease?.worker ?? '', started },
  }));
}
