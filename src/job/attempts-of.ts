import type { Job } from './job.js';
import type { PastAttempt } from './past-attempt.js';

/** An attempt of a job. The running one has neither `ended` nor `outcome`. */
export type JobAttempt = Omit<PastAttempt, 'ended' | 'outcome'> &
  Partial<Pick<PastAttempt, 'ended' | 'outcome'>>;

/**
 * Returns the attempts of a job, oldest first: the last 20 that ended before, and the present or last one. A job that
 * completes at its first attempt stores no attempts, since its own times describe that one.
 */
export function attemptsOf(job: Job): readonly JobAttempt[] {
  const { attempts = [], status, retryCounter, queued, picked, started, completed } = job;
  const isCounted = picked?.getTime() === attempts.at(-1)?.claimed.getTime();
  if (status === 'queued' || !picked || !started || picked < queued || isCounted) return attempts;
  const present = { attempt: Math.max(1, retryCounter), queued, claimed: picked };
  if (status === 'processing') return [...attempts, present];
  return completed ? [...attempts, { ...present, ended: completed, outcome: status }] : attempts;
}
