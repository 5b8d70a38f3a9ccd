import type { Events } from '../events.js';
import { failureKey, LOST_MESSAGE } from '../job/failure-key.js';
import type { LostAttempt } from './recover-jobs.js';

/** Tells of attempts that recovery has ended: their workers mostly cannot tell any more. */
export function tellLost(events: Events, lost: readonly LostAttempt[]): void {
  for (const { leaseExpired, settledAs: status, limits: _, slots: __, tree: ___, ...attempt } of lost) {
    events.tell('leaseLost', attempt);
    const error = `worker ${attempt.worker} lost its lease, which expired at ${leaseExpired.toISOString()}`;
    const { jobId, jobName } = attempt;
    const key = failureKey(jobName, { message: LOST_MESSAGE });
    events.tell('attemptEnded', { ...attempt, outcome: 'recovered', error, failureKey: key });
    if (status) events.tell('jobSettled', { jobId, jobName, status });
  }
}
