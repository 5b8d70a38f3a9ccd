import type { Collection, Filter } from 'mongodb';
import type { JobDocument, JobStatus } from './job.js';

/** Counting stops here: it costs about a microsecond a job, and nobody reads the digits of more. */
const MAX_COUNTED = 10_000;

/** How many there are: exactly, or at least so many. */
export interface CappedCount {
  /** At most 10,000. */
  readonly count: number;
  /** Whether there are more. */
  readonly isCapped: boolean;
}

/** Of each status. */
export type JobCounts = Readonly<Record<JobStatus, CappedCount>>;

/** How many jobs have each status. One command for each status; each reads keys of the index, and no document. */
export async function countJobs(jobs: Collection<JobDocument>): Promise<JobCounts> {
  const count = (status: JobStatus) => countCapped(jobs, { status });
  const [queued, processing, cancelled, completed, error] = await Promise.all([
    count('queued'),
    count('processing'),
    count('cancelled'),
    count('completed'),
    count('error'),
  ]);
  return { queued, processing, cancelled, completed, error };
}

/** How many jobs meet these conditions, which an index should serve. */
export async function countCapped(
  jobs: Collection<JobDocument>,
  conditions: Filter<JobDocument>,
): Promise<CappedCount> {
  const count = await jobs.countDocuments(conditions, { limit: MAX_COUNTED + 1 });
  return { count: Math.min(count, MAX_COUNTED), isCapped: count > MAX_COUNTED };
}
