import type { Events, LeaseLost } from '../events.js';
import type { Ending } from '../job/ending.js';
import type { Outcome } from '../job/outcome.js';
import type { SettledAs } from '../job/settle-jobs.js';
import type { EndedStep } from '../job/step-call.js';
import type { Attempt } from './attempt.js';
import { tellEnded } from './tell-ended.js';

/** Tells listeners what happens to the attempts of one drain. */
export class AttemptEvents {
  readonly #knownAsLost = new WeakSet<Attempt>();

  /** @param worker the name of the drain */
  constructor(
    private readonly events: Events,
    private readonly worker: string,
  ) {}

  claimed(count: number): void {
    if (count > 0 && this.events.isHeard('jobsClaimed'))
      this.events.tell('jobsClaimed', { count, worker: this.worker });
  }

  started(attempt: Attempt): void {
    if (!this.events.isHeard('attemptStarted')) return;
    const { queued, runAt } = attempt.job;
    this.events.tell('attemptStarted', {
      ...this.#about(attempt),
      dueSince: queued > runAt ? queued : runAt,
    });
  }

  stepEnded({ job }: Attempt, step: EndedStep): void {
    if (!this.events.isHeard('stepEnded')) return;
    const { id: jobId, jobName } = job;
    this.events.tell('stepEnded', { jobId, jobName, ...step });
  }

  /** Tells listeners once per attempt: both a heartbeat and the end of the attempt may notice the loss. */
  lostLease(attempt: Attempt): void {
    if (this.#knownAsLost.has(attempt)) return;
    this.#knownAsLost.add(attempt);
    if (this.events.isHeard('leaseLost')) this.events.tell('leaseLost', this.#about(attempt));
  }

  /**
   * Tells listeners that the attempt ended, and returns how it is counted.
   *
   * @param settledAs how the database took the outcome, or undefined when that is unknown
   */
  ended(attempt: Attempt, outcome: Outcome, settledAs: SettledAs | undefined): Ending {
    if (settledAs === 'stale') this.lostLease(attempt);
    const { worker } = this;
    const { job, durationMs } = attempt;
    return tellEnded(this.events, job, outcome, settledAs, { worker, durationMs });
  }

  #about({ job }: Attempt): LeaseLost {
    const { id: jobId, jobName, queue, retryCounter: attempt } = job;
    return { jobId, jobName, queue, attempt, worker: this.worker };
  }
}
