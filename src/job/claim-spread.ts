/** Maximum number of places, enough for this many claims at the same moment. More would only weaken the order. */
const MAX_PLACES = 8;

/**
 * Number of jobs in all places together. While others claim as well, a large claim becomes several smaller ones. MongoDB
 * reads every document before a claim's place.
 */
const MAX_WINDOW = 256;

/** Place in the queue to claim at, behind `place` groups of `size` jobs. */
export interface ClaimPlace {
  /** Number of the place. 0 for the head of the queue. */
  readonly place: number;
  /** Number of jobs to claim there. */
  readonly size: number;
}

/** After this many undisputed claims in a row, a claimer moves halfway back to the head of the queue. */
const WINS = 8;

/**
 * Keeps a claimer away from others that claim at the same time. It claims at a random place in the queue, and each place
 * is as long as a claim. A lost claim doubles the number of places, like the back-off of Ethernet (IEEE 802.3), and won
 * claims halve it again. Without competition the place is always the head of the queue.
 *
 * Each worker has one, which remembers from claim to claim.
 */
export class ClaimSpread {
  /** Priority of the jobs found last. */
  priority = 0;
  #places = 1;
  #wins = 0;

  /** Returns the next place to claim at. */
  next(wanted: number): ClaimPlace {
    const place = Math.floor(Math.random() * this.#places);
    return { place, size: this.#places > 1 ? Math.min(wanted, this.share) : wanted };
  }

  /** How many jobs each of the known claimers may take at a time. */
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

  /** Notes that the queue only has jobs for this many places. */
  endsAfter(places: number): void {
    this.#places = Math.max(1, Math.min(this.#places, places));
  }
}
