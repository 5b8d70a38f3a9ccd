import type { QueuedJob } from '../job/queued-job.js';
import type { Logger } from '../log.js';
import { withinTime } from '../mongo/within-time.js';
import type { Alarm } from './alarm.js';
import type { Claimer } from './claimer.js';
import { unlessAborted } from './unless-aborted.js';
import { WaitingPlace } from './waiting-place.js';
import type { DrainContext, DrainLimits } from './worker.js';

/** How long the end of a drain waits for the database to free its waiting place. */
const MAX_LEAVE_MS = 2_000;

/** Options that decide whether a drain waits. */
export interface LingerOptions {
  readonly worker: DrainContext;
  readonly limits: DrainLimits;
  /** Name of the drain. */
  readonly name: string;
  readonly claimer: Claimer;
  readonly alarm: Alarm;
  readonly log: Logger;
  /** Returns whether the drain holds no job. */
  readonly isIdle: () => boolean;
  /** Called when the drain only waits, and so no longer counts as a worker. */
  readonly onWait: () => Promise<void>;
}

/** Decides whether a drain waits for a job that will be due soon. */
export class Linger {
  /** Undefined if every worker may wait. */
  readonly #place: WaitingPlace | undefined;
  readonly #stopListening: (() => void) | undefined;

  constructor(private readonly options: LingerOptions) {
    const { worker, limits, name } = options;
    if (limits.lingersAlone) this.#place = new WaitingPlace(worker.workers, worker.name, name);
    // A job that this process queues may be due before the one that was found last.
    if (limits.lingerMs > 0) {
      this.#stopListening = worker.events.on('jobsReady', ({ jobs }) => {
        if (jobs.some(mayBeDueLater)) options.alarm.forget();
      });
    }
  }

  /** Sets the alarm for the next job that is worth waiting for. Returns whether there is one, and the drain may wait. */
  async setAlarm(): Promise<boolean> {
    const { limits, worker, claimer, alarm, log } = this.options;
    const { lingerMs, stop, stopAt } = limits;
    const withinMs = Math.min(lingerMs, stopAt - Date.now());
    if (withinMs <= 0 || stop.aborted) return false;
    try {
      const known = claimer.fitting().then(({ filter }) => alarm.ringsWhenDue(filter, withinMs));
      const isKnown = (await unlessAborted(stop, withinTime(worker.leaseMs, known))) ?? false;
      return isKnown && (await this.#mayWait());
    } catch (error) {
      log.warn('The next due job could not be found', { error: String(error) });
      return false;
    }
  }

  /** Frees the waiting place for others. If the database does not answer, the place expires by itself. */
  async end(): Promise<void> {
    const { limits, log } = this.options;
    this.#stopListening?.();
    if (limits.end.aborted || this.#place === undefined) return;
    await withinTime(MAX_LEAVE_MS, this.#place.leave()).catch((error: unknown) => {
      log.warn('The entry of the waiting worker could not be removed', { error: String(error) });
    });
  }

  /** Returns whether the drain may wait. While a job runs, waiting costs nothing. @throws the driver's errors */
  async #mayWait(): Promise<boolean> {
    const { worker, isIdle, onWait } = this.options;
    if (this.#place === undefined || !isIdle()) return true;
    if (!(await withinTime(worker.leaseMs, this.#place.take()))) return false;
    await onWait();
    return true;
  }
}

function mayBeDueLater({ jobName, runAt }: QueuedJob): boolean {
  return jobName === undefined || runAt !== 0;
}
