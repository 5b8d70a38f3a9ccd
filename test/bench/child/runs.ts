import { setTimeout as sleep } from 'node:timers/promises';
import type { JobResult } from '../contenders/contender.js';
import type { FullSetting } from './setting.js';

/** The work of the jobs. It takes as long as the setting says, and is counted. */
export class Runs {
  count = 0;
  #next: (() => void) | undefined;

  /** @param urgentStarted is called for jobs with a number below 0 */
  constructor(
    private readonly setting: Pick<FullSetting, 'jobMs' | 'doesReturn'>,
    private readonly urgentStarted: (n: number) => void = () => {},
  ) {}

  /** Runs job `n`. */
  readonly run = async (n: number): Promise<JobResult> => {
    this.#next?.();
    if (n < 0) this.urgentStarted(n);
    const ms = duration(n, this.setting.jobMs);
    if (ms > 0) await sleep(ms);
    this.count += 1;
    return this.setting.doesReturn ? { n } : undefined;
  };

  /** Resolves when the next job starts. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#next = resolve;
    });
  }
}

/** Spreads durations evenly by the job's number, so that every contender has the same work. */
function duration(n: number, [min, max]: readonly [number, number]): number {
  return min + ((n * 7919) % (max - min + 1));
}
