import type { AttemptClock } from '../job/define-job.js';

/** Times one attempt, and calls back when its timeout is over. */
export class TimeoutClock implements AttemptClock {
  #began: number | undefined;
  #ended: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly timeoutMs: number,
    private readonly onTimeout: () => void,
  ) {}

  /** In milliseconds, until now or until it ended; undefined when it does not run, and did not when it ended. */
  get elapsedMs(): number | undefined {
    return this.#began === undefined
      ? undefined
      : Math.round((this.#ended ?? performance.now()) - this.#began);
  }

  start(): void {
    clearTimeout(this.#timer);
    this.#began = performance.now();
    this.#timer = setTimeout(this.onTimeout, this.timeoutMs);
  }

  reset(): void {
    clearTimeout(this.#timer);
    this.#began = undefined;
  }

  /** For good: there is no timeout any more, and time stands still. */
  end(): void {
    clearTimeout(this.#timer);
    this.#ended = performance.now();
  }
}
