import { setTimeout as sleep } from 'node:timers/promises';

/** The work of the jobs: it takes its time, and is counted. */
export class Runs {
  count = 0;
  #next: (() => void) | undefined;

  /** @param jobMs how long a job takes: at least, at most */
  constructor(private readonly jobMs: readonly [number, number]) {}

  /** Runs job `n`. */
  readonly run = async (n: number): Promise<void> => {
    this.#next?.();
    const ms = duration(n, this.jobMs);
    if (ms > 0) await sleep(ms);
    this.count += 1;
  };

  /** Resolves when the next job starts. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#next = resolve;
    });
  }
}

/** Spread evenly; by the number of the job, so that every contender has the same work. */
function duration(n: number, [min, max]: readonly [number, number]): number {
  return min + ((n * 7919) % (max - min + 1));
}
