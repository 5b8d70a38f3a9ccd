import { countDueJobs } from '../job/count-due-jobs.js';
import { withinTime } from '../mongo/within-time.js';
import type { DrainScope } from './drain-scope.js';

/** The highest count of waiting jobs: a larger number says nothing more in a summary. */
const MAX_COUNTED = 1000;

/**
 * Time limit for counting, which takes a few milliseconds. With the default margin, this much time is left after giving
 * back.
 */
const MAX_MS = 2_000;

/** Counts the due jobs that a drain leaves. A failure is only logged, because the work is already done. */
export async function countRemaining({ shared, log }: DrainScope): Promise<number> {
  const { jobs, claimable } = shared;
  try {
    const count = claimable().then((filter) => countDueJobs(jobs, filter, MAX_COUNTED));
    return await withinTime(MAX_MS, count);
  } catch (error) {
    log.warn('The remaining jobs could not be counted', { error: String(error) });
    return 0;
  }
}
