import type { Collection, Filter } from 'mongodb';
import type { JobDocument } from '../src/job/job.js';

/** Marks queued jobs to run alone, as recovery does with lost jobs. */
export async function holdBack(jobs: Collection<JobDocument>, which: Filter<JobDocument>): Promise<void> {
  await jobs.updateMany(which, { $set: { runAlone: true }, $unset: { claimable: true } });
}
