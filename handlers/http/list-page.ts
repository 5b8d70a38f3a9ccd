import type { JobsFilter, RemoteProcessor } from '../../src/index.js';
import { type JobView, toJobView } from './job-view.js';

/** Lambda answers with 6 MB at most. What a page has beside its jobs is small. */
const MAX_PAGE_BYTES = 5 * 1024 * 1024;

/**
 * A page of jobs that can be sent: when their inputs, outputs and errors are too large together, one with fewer jobs.
 * A lone job is sent whatever its size.
 *
 * @throws ValidationError for a cursor that no page gave
 */
export async function listPage(
  processor: RemoteProcessor,
  filter: JobsFilter & { readonly limit: number },
): Promise<{ jobs: JobView[]; cursor: string | null }> {
  const { jobs, cursor } = await processor.listJobs(filter);
  const views = jobs.map(toJobView);
  if (views.length <= 1 || Buffer.byteLength(JSON.stringify(views)) <= MAX_PAGE_BYTES)
    return { jobs: views, cursor: cursor ?? null };
  return listPage(processor, { ...filter, limit: Math.floor(views.length / 2) });
}
