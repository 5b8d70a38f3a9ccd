/** How early a message may arrive by the database's clock, in milliseconds. Our own clock may be ahead. */
const MARGIN_MS = 100;

const SECOND_MS = 1_000;

/** The longest delay of an SQS message. */
const MAX_DELAY_MS = 900 * SECOND_MS;

/**
 * Remembers when the wake-ups of this process will arrive. So a second in which many jobs become due gets only one
 * wake-up.
 */
export class Arrivals {
  #moments: number[] = [];

  constructor(private readonly now: () => number = Date.now) {}

  /**
   * Returns the delays of the messages to send, in seconds. A message then arrives within a second after each moment.
   * These messages count as sent. A moment beyond SQS's longest delay gets none.
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

  /** Forgets the messages, because they may not have been sent. */
  forget(): void {
    this.#moments = [];
  }

  #covers(earliest: number): boolean {
    return this.#moments.some((moment) => moment >= earliest && moment < earliest + SECOND_MS);
  }
}
