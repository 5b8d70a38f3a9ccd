import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { AttemptAbortedError } from '../errors.js';
import type { ClaimedJob } from '../job/job.js';
import { freedSlots, type Outcome, type Settlement, settlementOf } from '../job/outcome.js';
import type { Report } from '../job/report.js';
import { type SettledAs, settleJobs } from '../job/settle-jobs.js';
import type { StepWrites } from '../job/step-log.js';
import { isBulkWriteError } from '../mongo/driver-error.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { isUnreachable } from '../mongo/unreachable.js';
import { NoAnswer, withinTime } from '../mongo/within-time.js';
import type { DrainScope } from './drain-scope.js';
import type { Pace } from './pace.js';
import type { Pool } from './pool.js';
import type { ReadyAnnouncer } from './ready-announcer.js';
import { unlessAborted } from './unless-aborted.js';
import { Wakeup } from './wakeup.js';

/** Time limit of the first try. Other outcomes wait for it, so a connection that died silently must not take long. */
const FIRST_TRY_MS = 1_000;

interface WaitingOutcome {
  readonly job: ClaimedJob;
  readonly settlement: Settlement;
  readonly since: number;
  readonly onWriting: () => void;
  readonly resolve: (settledAs: SettledAs) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes how the attempts of one drain ended. Writes an outcome at once, or within 15 ms together with others. Steps of
 * attempts that go on are written with them.
 *
 * Only one write is under way at a time. Outcomes that arrive meanwhile are written together by the next one.
 */
export class Writer {
  #waiting: WaitingOutcome[] = [];
  #isWriting = false;
  readonly #enoughEnded = new Wakeup();

  /** @param ready passes on the places of jobs in their limits, after the write that freed them */
  constructor(
    private readonly scope: DrainScope,
    private readonly pace: Pace,
    private readonly pool: Pool,
    private readonly ready: ReadyAnnouncer,
  ) {}

  /**
   * Writes how an attempt ended. Rejects if this fails, in which case recovery ends the attempt.
   *
   * @param report the rest of what the attempt reported
   * @param onWriting called when the write begins
   */
  settle(
    job: ClaimedJob,
    outcome: Outcome,
    report?: Report | undefined,
    onWriting?: () => void,
  ): Promise<SettledAs> {
    const settlement = settlementOf(job, outcome);
    return this.#add(job, report ? { ...settlement, report } : settlement, onWriting);
  }

  #add(job: ClaimedJob, settlement: Settlement, onWriting: () => void = () => {}): Promise<SettledAs> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, settlement, since: performance.now(), onWriting, resolve, reject });
      if (!this.#isWriting) void this.#writeAll();
      else if (this.#gatherMs(0) === 0) this.#enoughEnded.wake();
    });
  }

  /**
   * Stores steps of an attempt that goes on.
   *
   * @throws AttemptAbortedError if the lease is lost, or the database does not answer for as long as a lease. The step
   *   itself has not failed then
   */
  async keep(job: ClaimedJob, writes: StepWrites): Promise<void> {
    const settlement = settlementOf(job, { kind: 'stepped', writes });
    const settledAs = await this.#add(job, settlement).catch((error: unknown) => {
      if (isUnreachable(error)) return 'stale';
      throw error;
    });
    if (settledAs === 'stale') throw new AttemptAbortedError('lease lost');
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    await turnOfEventLoop();
    while (this.#waiting.length > 0) {
      await this.#gather();
      const batch = this.#waiting;
      this.#waiting = [];
      for (const { onWriting } of batch) onWriting();
      await this.#write(batch);
    }
    this.#isWriting = false;
  }

  async #gather(): Promise<void> {
    for (;;) {
      const waitMs = this.#gatherMs(performance.now() - (this.#waiting[0]?.since ?? 0));
      if (waitMs === 0) return;
      const timer = setTimeout(this.#enoughEnded.wake, waitMs);
      await this.#enoughEnded.wait();
      clearTimeout(timer);
    }
  }

  /** Returns how much longer the waiting outcomes should wait for others. @param waitedMs how long they have waited */
  #gatherMs(waitedMs: number): number {
    return this.pace.gatherMs(this.#waiting.length, waitedMs, this.pool.unwritten);
  }

  async #write(batch: readonly WaitingOutcome[]): Promise<void> {
    const { jobs, leaseMs } = this.scope.shared;
    const { end } = this.scope.limits;
    try {
      const settlements = batch.map(({ settlement }) => settlement);
      const tryOnce = () => settleJobs(jobs, settlements);
      const write = retryWhileUnreachable(leaseMs, tryOnce, FIRST_TRY_MS, end);
      const results = await unlessAborted(end, withinTime(leaseMs, write));
      if (results === undefined)
        throw new NoAnswer('The database did not answer before the worker had to end.');
      const freed = batch.flatMap(({ job, settlement }, index) => {
        const slots = freedSlots(job, settlement.outcome, results[index]);
        return slots.length > 0 ? [{ ...job, slots }] : [];
      });
      if (freed.length > 0) await this.ready.passOn(freed);
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] ?? 'stale');
      });
    } catch (error) {
      // Each by itself then shows which one the database refuses, because its document would be too large.
      if (batch.length > 1 && isBulkWriteError(error) && error.result.hasWriteErrors())
        await Promise.all(batch.map((one) => this.#write([one])));
      else for (const { reject } of batch) reject(error);
    }
  }
}
