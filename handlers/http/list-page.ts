import type { Job, JobsFilter } from '../../src/index.js';
import { type JobView, toBriefView, toJobView, toSendableView } from './job-view.js';
import { jobsSeenBy, type Onlooker } from './seen-by.js';

/**
 * Returns a page of jobs, as `jobs.list` does, that is small enough to send. A single job that is too large comes
 * without its large members.
 *
 * @throws ValidationError for a cursor that no page returned
 */
export async function listPage(
  onlooker: Onlooker,
  filter: JobsFilter & { readonly maxBytes: number },
): Promise<{ jobs: JobView[]; cursor: string | null }> {
  const { jobs: found, cursor = null } = await onlooker.processor.jobs.list(filter);
  const jobs = await jobsSeenBy(onlooker, found);
  if (filter.brief) return { jobs: jobs.map((job) => toBriefView(job)), cursor };
  const toView = (job: Job) => (jobs.length === 1 ? toSendableView(job, filter.maxBytes) : toJobView(job));
  return { jobs: jobs.map(toView), cursor };
}
