import type { AttemptEnded, Events, LeaseLost } from '../events.js';
import { type Ending, endingOf } from '../job/ending.js';
import { failureKey, LOST_MESSAGE } from '../job/failure-key.js';
import type { ClaimedJob, SettledStatus } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import type { SettledAs } from '../job/settle-jobs.js';
import type { EndedStep } from '../job/step-call.js';
import type { Logger } from '../log.js';
import { dueSince } from './due-since.js';
import type { LostAttempt } from './recover-jobs.js';

/** Tells listeners what happens to the attempts of one drain. */
export class AttemptEvents {
  readonly #knownAsLost = new WeakSet<ClaimedJob>();

  /** @param worker the name of the drain */
  constructor(
    private readonly events: Events,
    private readonly worker: string,
  ) {}

  claimed(count: number): void {
    if (count > 0 && this.events.isHeard('jobsClaimed'))
      this.events.tell('jobsClaimed', { count, worker: this.worker });
  }

  started(job: ClaimedJob): void {
    if (!this.events.isHeard('attemptStarted')) return;
    this.events.tell('attemptStarted', { ...this.#about(job), dueSince: dueSince(job) });
  }

  stepEnded({ id: jobId, jobName }: ClaimedJob, step: EndedStep): void {
    if (!this.events.isHeard('stepEnded')) return;
    this.events.tell('stepEnded', { jobId, jobName, ...step });
  }

  /** Tells listeners once per attempt: both a heartbeat and the end of the attempt may notice the loss. */
  lostLease(job: ClaimedJob): void {
    if (this.#knownAsLost.has(job)) return;
    this.#knownAsLost.add(job);
    if (this.events.isHeard('leaseLost')) this.events.tell('leaseLost', this.#about(job));
  }

  /**
   * Tells listeners that the attempt ended, and returns how it is counted.
   *
   * @param settledAs how the database took the outcome, or undefined when that is unknown
   * @param times how long the job waited, and how long its function ran, undefined if it was never called
   */
  ended(
    job: ClaimedJob,
    outcome: Outcome,
    settledAs: SettledAs | undefined,
    { durationMs, waitedMs }: Pick<AttemptEnded, 'durationMs' | 'waitedMs'>,
  ): Ending {
    if (settledAs === 'stale') this.lostLease(job);
    return tellEnded(this.events, job, outcome, settledAs, { worker: this.worker, durationMs, waitedMs });
  }

  #about({ id: jobId, jobName, queue, retryCounter: attempt }: ClaimedJob): LeaseLost {
    return { jobId, jobName, queue, attempt, worker: this.worker };
  }
}

const settledBy: Partial<Record<Ending, SettledStatus>> = {
  completed: 'completed',
  errors: 'error',
  cancelled: 'cancelled',
};

/**
 * Tells listeners that an attempt ended, and whether that settled the job. Returns how the attempt is counted.
 *
 * @param settledAs how the database took the outcome, or undefined when that is unknown
 * @param about details of the attempt that its job does not hold
 */
export function tellEnded(
  events: Events,
  job: ClaimedJob,
  outcome: Outcome,
  settledAs: SettledAs | undefined,
  about: Pick<AttemptEnded, 'worker' | 'durationMs' | 'waitedMs'> = {},
): Ending {
  const { id: jobId, jobName, queue, retryCounter: attempt } = job;
  const ending = endingOf(outcome, settledAs);
  if (events.isHeard('attemptEnded')) {
    const error =
      outcome.kind === 'failed'
        ? { error: outcome.failure.message, failureKey: failureKey(jobName, outcome.failure) }
        : {};
    events.tell('attemptEnded', { jobId, jobName, queue, attempt, ...about, outcome: ending, ...error });
  }
  const status = settledBy[ending];
  if (status && events.isHeard('jobSettled')) events.tell('jobSettled', { jobId, jobName, status });
  return ending;
}

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

/** Logs each attempt when it ends. */
export function logAttempts(events: Events, log: Logger): void {
  events.on('attemptEnded', ({ queue: _, ...attempt }) => log.info('Attempt ended', attempt));
}
