import type { JobFactory } from '../job/define-job.js';

/** Enough to have seen the slow ones, few enough to forget an exception. */
const REMEMBERED = 20;

/** How long attempts took lately in this process, by job name. Outlives an invocation. */
export class RecentDurations {
  readonly #durations = new Map<string, number[]>();

  add(jobName: string, durationMs: number): void {
    const recent = this.#durations.get(jobName);
    if (recent === undefined) this.#durations.set(jobName, [durationMs]);
    else if (recent.push(durationMs) > REMEMBERED) recent.shift();
  }

  /**
   * How long an attempt will take: as its factory says, else the longest of the recent ones; 0 when nothing is known,
   * so that a job nobody has run yet is started.
   */
  expected(jobName: string, factory: Pick<JobFactory, 'limits'> | undefined): number {
    return factory?.limits.expectedMs ?? Math.max(0, ...(this.#durations.get(jobName) ?? []));
  }
}
