/** A message may come this much too early by the database's clock, when ours is ahead of it. */
const MARGIN_MS = 100;

const SECOND_MS = 1_000;

/**
 * Knows when the wake-ups that this process sent will arrive, so that there is one for each second in which jobs become
 * due, however many they are.
 */
export class Arrivals {
  #moments: number[] = [];

  constructor(private readonly now: () => number = Date.now) {}

  /**
   * By how many seconds messages have to be put off, so that each of these moments has a message within a second after it.
   * They count as sent.
   */
  add(dueInMs: readonly number[]): number[] {
    const now = this.now();
    this.#moments = this.#moments.filter((moment) => moment >= now);
    return dueInMs
      .toSorted((a, b) => a - b)
      .flatMap((ms) => {
        if (this.#covers(now + ms)) return [];
        const seconds = Math.ceil((ms + MARGIN_MS) / SECOND_MS);
        this.#moments.push(now + seconds * SECOND_MS);
        return [seconds];
      });
  }

  /** What was sent did not arrive, or nobody knows. */
  forget(): void {
    this.#moments = [];
  }

  #covers(due: number): boolean {
    return this.#moments.some((moment) => moment >= due + MARGIN_MS && moment < due + MARGIN_MS + SECOND_MS);
  }
}
