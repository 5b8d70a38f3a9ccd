import type { QueuedJob } from '../job/queued-job.js';
import { withinTime } from '../mongo/within-time.js';
import type { Alarm } from './alarm.js';
import type { Claimer } from './claimer.js';
import type { DrainScope } from './drain-scope.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { LingerPermit } from './linger-permit.js';
import type { Pool } from './pool.js';
import { unlessAborted } from './unless-aborted.js';

/** How long the end of a drain waits for the database to free its permit. */
const MAX_LEAVE_MS = 2_000;

/** Decides whether a drain waits for a job that will be due soon. */
export class Linger {
  /** Undefined if every worker may wait. */
  readonly #permit: LingerPermit | undefined;
  readonly #stopListening: (() => void) | undefined;

  constructor(
    private readonly scope: DrainScope,
    private readonly alarm: Alarm,
    private readonly claimer: Claimer,
    private readonly pool: Pool,
    private readonly leases: LeaseKeeper,
  ) {
    const { shared, limits, name } = scope;
    if (limits.lingersAlone) this.#permit = new LingerPermit(shared.workers, shared.name, name);
    // A job that this process queues may be due before the one that was found last.
    if (limits.lingerMs > 0) {
      this.#stopListening = shared.events.on('jobsReady', ({ jobs }) => {
        if (jobs.some(mayBeDueLater)) alarm.forget();
      });
    }
  }

  /**
   * Sets the alarm for the next job that is worth waiting for. Returns true if there is such a job, and the drain may wait.
   */
  async setAlarm(): Promise<boolean> {
    const { limits, shared, log } = this.scope;
    const { lingerMs, stop, stopAt } = limits;
    const withinMs = Math.min(lingerMs, stopAt - Date.now());
    if (withinMs <= 0 || stop.aborted) return false;
    try {
      const known = this.claimer.fitting().then(({ filter }) => this.alarm.ringsWhenDue(filter, withinMs));
      const isKnown = (await unlessAborted(stop, withinTime(shared.leaseMs, known))) ?? false;
      return isKnown && (await this.#mayWait());
    } catch (error) {
      log.warn('The next due job could not be found', { error: String(error) });
      return false;
    }
  }

  /** Frees the permit for others. If the database does not answer, the permit expires by itself. */
  async end(): Promise<void> {
    const { limits, log } = this.scope;
    this.#stopListening?.();
    if (limits.end.aborted || this.#permit === undefined) return;
    await withinTime(MAX_LEAVE_MS, this.#permit.leave()).catch((error: unknown) => {
      log.warn('The entry of the waiting worker could not be removed', { error: String(error) });
    });
  }

  /** Returns whether the drain may wait. While a job runs, waiting costs nothing. @throws the driver's errors */
  async #mayWait(): Promise<boolean> {
    if (this.#permit === undefined || !this.pool.isEmpty) return true;
    if (!(await withinTime(this.scope.shared.leaseMs, this.#permit.take()))) return false;
    // A worker that only waits does not count as one.
    await this.leases.pause(false);
    return true;
  }
}

function mayBeDueLater({ jobName, runAt }: QueuedJob): boolean {
  return jobName === undefined || runAt !== 0;
}
