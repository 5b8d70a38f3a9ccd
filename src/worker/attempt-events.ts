import type { AttemptEnded, Events, LeaseLost } from '../events.js';
import type { Ending } from '../job/ending.js';
import type { ClaimedJob } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import type { SettledAs } from '../job/settle-jobs.js';
import type { EndedStep } from '../job/step-call.js';
import { dueSince } from './due-since.js';
import { tellEnded } from './tell-ended.js';

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
