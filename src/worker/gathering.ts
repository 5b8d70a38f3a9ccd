/** The longest that an outcome waits for others. Short beside what calling for a job costs; long beside a write. */
const MAX_WAIT_MS = 15;

/** So large a share of what runs is worth a write of its own. */
const SHARE = 1 / 4;

/** Weight of the newest gap in the mean of the gaps between endings. */
const WEIGHT = 0.2;

/**
 * Decides how long what has ended waits for what is about to end, to be settled, and its slots filled again, together.
 *
 * Nothing waits when it is alone or among few, when what runs ends far apart, or when enough have ended. So jobs of some
 * milliseconds, many at a time, share their commands, and a lone job or a long one does not notice.
 */
export class Gathering {
  /** Between endings, in milliseconds: an exponential moving average. */
  #meanGap = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;
  #first = 0;

  /** Something has ended; `isFirst` when nothing that ended before still waits. */
  ended(isFirst: boolean): void {
    const now = performance.now();
    const gap = now - this.#last;
    this.#meanGap = Number.isFinite(this.#meanGap) ? this.#meanGap * (1 - WEIGHT) + gap * WEIGHT : gap;
    this.#last = now;
    if (isFirst) this.#first = now;
  }

  /** How long what waits should go on to wait; 0 when it should not. */
  waitMs(waiting: number, running: number): number {
    if (waiting >= running * SHARE || this.#meanGap >= MAX_WAIT_MS) return 0;
    return Math.max(0, this.#first + MAX_WAIT_MS - performance.now());
  }
}
