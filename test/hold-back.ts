import type { Collection, Filter } from 'mongodb';
import type { JobDocument } from '../src/job/job.js';

/** Leaves queued jobs as recovery does that were lost in company: to be run alone. */
export async function holdBack(jobs: Collection<JobDocument>, which: Filter<JobDocument>): Promise<void> {
  await jobs.updateMany(which, { $set: { runAlone: true }, $unset: { claimable: true } });
}
