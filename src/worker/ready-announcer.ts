import type { SlotHolder } from '../flow/lines.js';
import type { QueuedJob } from '../job/queued-job.js';
import type { DrainScope } from './drain-scope.js';
import { PendingWork } from './pending-work.js';

/** Collects the jobs that a drain has made ready to run, now or later, and tells workers of them. */
export class ReadyAnnouncer {
  readonly #jobs: QueuedJob[] = [];
  readonly #telling = new PendingWork();

  constructor(private readonly scope: DrainScope) {}

  add(jobs: readonly QueuedJob[]): void {
    this.#jobs.push(...jobs);
  }

  /**
   * Gives the places that jobs had to other jobs, and collects these. If that fails, somebody looks after the lines within
   * a minute.
   */
  async passOn(freed: readonly SlotHolder[]): Promise<void> {
    const { shared, log } = this.scope;
    try {
      this.add(await shared.lines.release(freed));
    } catch (error) {
      log.warn('Places in limits could not be given to other jobs', { error: String(error) });
    }
  }

  /** Begins to tell workers, this drain among them. */
  tell(): void {
    if (this.#jobs.length > 0) this.#telling.add(this.scope.shared.jobsReady.tell(this.#jobs.splice(0)));
  }

  /** Resolves once workers are told. */
  end(): Promise<void> {
    return this.#telling.end();
  }
}
