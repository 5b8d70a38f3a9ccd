import type { Ending } from '../job/ending.js';
import { type Outcome, queuedAgain } from '../job/outcome.js';
import type { SettledAs } from '../job/settle-jobs.js';
import type { Attempt } from './attempt.js';
import type { AttemptEvents } from './attempt-events.js';
import type { DrainScope } from './drain-scope.js';
import { GroupWatch } from './group-watch.js';
import type { LeaseKeeper } from './lease-keeper.js';
import type { Pool } from './pool.js';
import type { ReadyAnnouncer } from './ready-announcer.js';
import type { Reports } from './reports.js';
import { noEndings } from './summary.js';
import type { Writer } from './writer.js';

/** The parts of a drain that an ending concerns. */
export interface EndingParts {
  readonly pool: Pool;
  readonly leases: LeaseKeeper;
  readonly reports: Reports;
  readonly writer: Writer;
  readonly events: AttemptEvents;
  readonly ready: ReadyAnnouncer;
}

/** Does what follows when an attempt of a drain has ended: settles it, tells of it, counts it, and lets other jobs go on. */
export class Endings {
  /** How the attempts of this drain ended. Other drains of the same processor may run beside it, and are not counted. */
  readonly counts: Record<Ending, number> = noEndings();
  readonly groups: GroupWatch;

  constructor(
    private readonly scope: DrainScope,
    private readonly parts: EndingParts,
  ) {
    const { groups, jobsReady } = scope.shared;
    this.groups = new GroupWatch(groups, jobsReady);
  }

  /** Follows up on an attempt that has left its slot. Never rejects. */
  async follow(attempt: Attempt, outcome: Outcome): Promise<void> {
    const { pool, leases, events, ready } = this.parts;
    const { job, durationMs } = attempt;
    if (!attempt.isAbandoned && durationMs !== undefined)
      this.scope.shared.durations.add(job.jobName, durationMs);
    if (outcome.kind === 'snoozed' && outcome.slowsDown) await this.#slowDown(attempt, outcome.delayMs);
    const counted = this.scope.shared.breakers.ended(job, outcome, attempt.abortedFor === 'cancelled');
    if (counted) await counted.then(() => this.#declineIfOpen(job.jobName));
    const settledAs = await this.#settle(attempt, outcome);
    this.counts[events.ended(job, outcome, settledAs, attempt)] += 1;
    this.groups.ended(job, outcome, settledAs, attempt.hasChildren, pool.holdsSibling(attempt));
    if (settledAs === 'queued') ready.add(queuedAgain(job, outcome));
    leases.release(attempt);
    pool.release(attempt);
    // Only now does this drain have room for one of them.
    ready.tell();
  }

  /** Returns undefined if the outcome could not be written. */
  async #settle(attempt: Attempt, outcome: Outcome): Promise<SettledAs | undefined> {
    const { pool, reports, writer } = this.parts;
    try {
      const rest = reports.end(attempt.report);
      return await writer.settle(attempt.job, outcome, rest, () => pool.beginWriting(attempt));
    } catch (error) {
      const message = 'An outcome could not be written: the job is recovered once its lease expires';
      this.scope.log.error(message, { ...attempt.describe(), error: String(error) });
      return undefined;
    }
  }

  /** Puts off the other jobs under the rate limit of this one. If that fails, these jobs meet the limit by themselves. */
  async #slowDown({ job }: Attempt, delayMs: number): Promise<void> {
    const { shared, log } = this.scope;
    try {
      await shared.gate.slowDown(job, delayMs);
    } catch (error) {
      log.warn('A rate limit could not be slowed down', { jobId: job.id, error: String(error) });
    }
  }

  /** Gives back the jobs of a kind that have not begun, if its circuit breaker is open now. */
  #declineIfOpen(jobName: string): void {
    if (this.scope.shared.breakers.isOpen(jobName)) this.parts.pool.decline(jobName);
  }
}
