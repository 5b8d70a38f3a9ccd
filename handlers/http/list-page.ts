import type { Job, JobsFilter, RemoteProcessor } from '../../src/index.js';
import { type JobView, toBriefView, toJobView, toSendableView } from './job-view.js';

/**
 * Returns a page of jobs, as `jobs.list` does, that is small enough to send. A single job that is too large comes
 * without its large members.
 *
 * @throws ValidationError for a cursor that no page returned
 */
export async function listPage(
  processor: RemoteProcessor,
  filter: JobsFilter & { readonly maxBytes: number },
): Promise<{ jobs: JobView[]; cursor: string | null }> {
  const { jobs, cursor = null } = await processor.jobs.list(filter);
  if (filter.brief) return { jobs: jobs.map((job) => toBriefView(job)), cursor };
  const toView = (job: Job) => (jobs.length === 1 ? toSendableView(job, filter.maxBytes) : toJobView(job));
  return { jobs: jobs.map(toView), cursor };
}
