import type { JobFactory } from '../job/define-job.js';

/** Enough durations to include slow ones, few enough to forget an exception. */
const REMEMBERED = 20;

/** Remembers how long attempts took lately in this process, by job name. Outlives an invocation. */
export class RecentDurations {
  readonly #durations = new Map<string, number[]>();

  add(jobName: string, durationMs: number): void {
    const recent = this.#durations.get(jobName);
    if (recent === undefined) this.#durations.set(jobName, [durationMs]);
    else if (recent.push(durationMs) > REMEMBERED) recent.shift();
  }

  /**
   * Returns the expected duration of an attempt in milliseconds. The factory's own value comes first, then the longest
   * recent duration. Returns 0 if nothing is known, so that a new kind of job is started.
   */
  expected(jobName: string, factory: Pick<JobFactory, 'limits'> | undefined): number {
    return factory?.limits.expectedMs ?? Math.max(0, ...(this.#durations.get(jobName) ?? []));
  }
}
