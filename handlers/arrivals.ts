/** How much too early a message may arrive by the database's clock, when ours is ahead of it. */
const MARGIN_MS = 100;

const SECOND_MS = 1_000;

/** So long can SQS put a message off. */
const MAX_DELAY_MS = 900 * SECOND_MS;

/**
 * Knows when the wake-ups that this process sent will arrive. So each second in which jobs become due gets one wake-up,
 * however many jobs there are.
 */
export class Arrivals {
  #moments: number[] = [];

  constructor(private readonly now: () => number = Date.now) {}

  /**
   * Returns the delays, in seconds, of the messages to send, so that each moment has a message within a second after it. The
   * messages count as sent. A moment further ahead than SQS can put off gets none.
   */
  add(dueInMs: readonly number[]): number[] {
    const now = this.now();
    this.#moments = this.#moments.filter((moment) => moment >= now);
    return dueInMs
      .filter((ms) => ms <= MAX_DELAY_MS)
      .toSorted((a, b) => a - b)
      .flatMap((ms) => {
        const afterMs = Math.min(ms + MARGIN_MS, MAX_DELAY_MS);
        if (this.#covers(now + afterMs)) return [];
        const seconds = Math.ceil(afterMs / SECOND_MS);
        this.#moments.push(now + seconds * SECOND_MS);
        return [seconds];
      });
  }

  /** Forgets the messages sent, because they did not arrive, or nobody knows. */
  forget(): void {
    this.#moments = [];
  }

  #covers(earliest: number): boolean {
    return this.#moments.some((moment) => moment >= earliest && moment < earliest + SECOND_MS);
  }
}
