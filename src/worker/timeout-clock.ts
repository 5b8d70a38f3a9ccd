import type { AttemptClock } from '../job/define-job.js';

/** Times one attempt, and calls back when its timeout is over. */
export class TimeoutClock implements AttemptClock {
  #began: number | undefined;
  #ended: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

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

  /** By how much the timeout is over; 0 when it is not. By the clock, too: in a thread that is blocked no timer fires. */
  get lateMs(): number {
    if (this.#began === undefined) return 0;
    const late = Math.ceil((this.#ended ?? performance.now()) - this.#began - this.timeoutMs);
    return Math.max(late, this.#isOver ? 1 : 0); // Timers fire up to a millisecond too soon.
  }

  start(): void {
    clearTimeout(this.#timer);
    this.#began = performance.now();
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.onTimeout();
    }, this.timeoutMs);
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
