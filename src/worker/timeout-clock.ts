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

  /**
   * Elapsed time in milliseconds, until now or until the end. Undefined if the clock is not running, or was not at the
   * end.
   */
  get elapsedMs(): number | undefined {
    return this.#began === undefined
      ? undefined
      : Math.round((this.#ended ?? performance.now()) - this.#began);
  }

  /** When the clock was started, by this process's clock. Undefined if it is not running, or was not at the end. */
  get beganAt(): number | undefined {
    return this.#began === undefined ? undefined : Date.now() - (performance.now() - this.#began);
  }

  /**
   * How far the timeout is exceeded, in milliseconds, or 0. Also reads the clock, because no timer fires in a blocked
   * thread.
   */
  get lateMs(): number {
    if (this.#began === undefined) return 0;
    const late = Math.ceil((this.#ended ?? performance.now()) - this.#began - this.timeoutMs);
    return Math.max(late, this.#isOver ? 1 : 0); // Timers fire up to a millisecond too soon.
  }

  /** Time until the timeout, in milliseconds. Negative after it. */
  get leftMs(): number {
    return this.timeoutMs - (this.elapsedMs ?? 0);
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

  /** Stops the clock for good. The timeout no longer applies. */
  end(): void {
    clearTimeout(this.#timer);
    this.#ended = performance.now();
  }
}
