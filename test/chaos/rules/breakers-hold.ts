import { casesOf, type Holder } from '../cases.js';
import type { Evidence, Violation } from '../evidence.js';
import { jobNames } from '../plan-jobs.js';

/** All workers notice within this time that a circuit breaker is open. */
const NOTICED_MS = 5_000;

/**
 * Checks that as long as a circuit breaker was open, or half open, no job of its kind began but the one that was tried.
 * That it does not stay open for ever is seen by the jobs that are left: see nothing-left.ts.
 */
export function breakersHold(evidence: Evidence): Violation[] {
  return casesOf(evidence)
    .filter(({ job }) => job.jobName === jobNames.guarded)
    .flatMap(({ holders }) => holders.filter((holder) => isUntried(holder, evidence.leaseMs)))
    .map(({ run }) => ({
      rule: 'breaker',
      message: `Job ${run.job} began behind an open circuit breaker, and was not the one that was tried.`,
      documents: [run],
    }));
}

/**
 * A claim may take as long as a lease after the look at the breakers. If a run was noted that late, another job may have
 * been tried since.
 */
function isUntried({ run, began, picked }: Holder, leaseMs: number): boolean {
  const { opened, probe } = run.breaker ?? {};
  if (!opened || began.at.getTime() - picked.getTime() > leaseMs / 2) return false;
  const isKnown = picked.getTime() - opened.getTime() > NOTICED_MS + 2 * leaseMs;
  return isKnown && probe?.token !== run.token;
}
