import type { Collection } from 'mongodb';
import { occurrence as occurrenceIndex } from '../job/indexes.js';
import type { JobDocument, JobStatus } from '../job/job.js';
import { orIndexMissing } from '../mongo/index-missing.js';

/** A job that a scheduler item made for an occurrence. */
export interface OccurrenceJob {
  /** The moment of the occurrence. In the future if the job was made ahead. */
  readonly at: Date;
  readonly jobId: string;
  readonly status: JobStatus;
}

/** Returns the jobs of the last occurrences, the latest first. Jobs that were removed are left out. */
export async function findHistory(
  jobs: Collection<JobDocument>,
  itemId: string,
  limit: number,
): Promise<OccurrenceJob[]> {
  const options = {
    sort: { 'occurrence.at': -1 },
    projection: { occurrence: 1, status: 1 },
    hint: occurrenceIndex.name,
  } as const;
  const found = await orIndexMissing(
    jobs
      .find<Pick<JobDocument, '_id' | 'occurrence' | 'status'>>(
        { 'occurrence.item': itemId },
        { ...options, limit, batchSize: limit + 1 },
      )
      .toArray(),
  );
  return found.flatMap(({ _id: jobId, occurrence, status }) =>
    occurrence ? [{ at: occurrence.at, jobId, status }] : [],
  );
}
