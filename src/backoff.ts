/** After the first failure; then twice as long each time. */
const FIRST_PAUSE_MS = 1_000;

const LONGEST_PAUSE_MS = 30_000;

/**
 * Keeps many from waiting, each by itself, for what has just failed: after a failure nobody tries for a while, then one does,
 * and while that fails the pause grows.
 */
export class Backoff {
  #failures = 0;
  #pausedUntil = 0;
  #isProbed = false;

  constructor(private readonly now: () => number = Date.now) {}

  /**
   * Does the work, or passes it over. It never rejects.
   *
   * @param tell of a failure, once however many were under way together, and for how long nobody tries now
   */
  async run(work: () => Promise<void>, tell: (error: unknown, pauseMs: number) => void): Promise<void> {
    const before = this.#failures;
    if (before > 0 && (this.#isProbed || this.now() < this.#pausedUntil)) return;
    this.#isProbed = before > 0;
    try {
      await work();
      this.#failures = 0;
    } catch (error) {
      if (this.#failures === before) tell(error, this.#pause());
    } finally {
      if (before > 0) this.#isProbed = false;
    }
  }

  #pause(): number {
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures += 1;
    this.#pausedUntil = this.now() + pauseMs;
    return pauseMs;
  }
}
