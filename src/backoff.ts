/** Pause after the first failure. It doubles with each further failure. */
const FIRST_PAUSE_MS = 1_000;

const LONGEST_PAUSE_MS = 30_000;

/**
 * Keeps many callers from waiting for something that just failed. After a failure, all callers skip the work for a
 * pause. Then a single caller tries. Each further failure doubles the pause.
 */
export class Backoff {
  #failures = 0;
  #pausedUntil = 0;
  #isProbed = false;

  constructor(private readonly now: () => number = Date.now) {}

  /**
   * Does the work or skips it. Never rejects.
   *
   * @param tell called with the failure and the length of the pause, once for all concurrent calls
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
