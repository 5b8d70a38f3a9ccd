import { casesOf } from '../cases.js';
import type { Evidence, Violation } from '../evidence.js';
import { jobNames, rate } from '../plan-jobs.js';

/**
 * Checks that in no period more jobs started than the rate limit and its burst allow. A job gets its start between its claim
 * and the beginning of its function, so only those count that were claimed and began within the same period.
 */
export function ratesHold(evidence: Evidence): Violation[] {
  const starts = casesOf(evidence)
    .filter(({ job }) => job.jobName === jobNames.stepped)
    .flatMap(({ holders }) => holders)
    .map(({ run, began, picked }) => ({ run, picked: picked.getTime(), began: began.at.getTime() }));
  return starts.flatMap(({ picked: from }) => {
    const until = from + rate.periodMs;
    const within = starts.filter(({ picked, began }) => picked >= from && began < until);
    if (within.length <= rate.limit + rate.burst) return [];
    const message = `${within.length} jobs started within ${rate.periodMs} ms under a rate limit of ${rate.limit}, with a burst of ${rate.burst}.`;
    return [{ rule: 'rate', message, documents: within.map(({ run }) => run) }];
  });
}
