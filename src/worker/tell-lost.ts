import type { Events } from '../events.js';
import type { LostAttempt } from './recover-jobs.js';

/** Tells of attempts that recovery has ended: their workers mostly cannot tell any more. */
export function tellLost(events: Events, lost: readonly LostAttempt[]): void {
  for (const { leaseExpired, settledAs: status, limits: _, slots: __, tree: ___, ...attempt } of lost) {
    events.tell('leaseLost', attempt);
    const error = `worker ${attempt.worker} lost its lease, which expired at ${leaseExpired.toISOString()}`;
    events.tell('attemptEnded', { ...attempt, outcome: 'recovered', error });
    const { jobId, jobName } = attempt;
    if (status) events.tell('jobSettled', { jobId, jobName, status });
  }
}
