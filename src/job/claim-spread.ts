/** Maximum number of places. Enough for as many simultaneous claims; more would only weaken the order. */
const MAX_PLACES = 8;

/**
 * Number of jobs in all places together. While others also claim, a large claim is split into smaller ones, because
 * MongoDB reads every document before a claim's place.
 */
const MAX_WINDOW = 256;

/** The part of the queue that a claim takes: `size` jobs, after skipping `place` times as many. */
export interface ClaimPlace {
  /** Number of the place. 0 is the head of the queue. */
  readonly place: number;
  /** Number of jobs to claim there. */
  readonly size: number;
}

/** After this many undisputed claims in a row, the number of places is halved. */
const WINS = 8;

/**
 * Keeps a claimer apart from others that claim at the same time. It divides the head of the queue into places, each as
 * long as one claim, and claims at a random one. A lost claim doubles the number of places, like the back-off of
 * Ethernet (IEEE 802.3). Won claims halve it again. Without competition, there is only the head of the queue.
 *
 * Each worker keeps one from claim to claim.
 */
export class ClaimSpread {
  /** Priority of the last jobs found. */
  priority = 0;
  /** Whether the last claim ended early because it had an urgent job, which begins at once. More jobs were due. */
  stoppedEarly = false;
  #places = 1;
  #wins = 0;

  /** Returns the next place to claim at. */
  next(wanted: number): ClaimPlace {
    const place = Math.floor(Math.random() * this.#places);
    return { place, size: this.#places > 1 ? Math.min(wanted, this.share) : wanted };
  }

  /** Maximum number of jobs for a claim, so that claims at all places fit into the window. */
  get share(): number {
    return Math.floor(MAX_WINDOW / this.#places);
  }

  won(): void {
    this.#wins += 1;
    if (this.#wins < WINS) return;
    this.#places = Math.ceil(this.#places / 2);
    this.#wins = 0;
  }

  /** Notes that another worker took some of the same jobs. */
  lost(): void {
    this.#places = Math.min(MAX_PLACES, this.#places * 2);
    this.#wins = 0;
  }

  /** Notes that the queue has only enough jobs for this many places. */
  endsAfter(places: number): void {
    this.#places = Math.max(1, Math.min(this.#places, places));
  }
}
