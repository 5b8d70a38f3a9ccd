/** So many places are enough for so many claims at the same moment; more would only give up more of the order. */
const MAX_PLACES = 8;

/**
 * All places together are so many jobs, so that a claim of many is a claim of fewer at a time while others claim as well.
 * MongoDB reads each document before a claim's place.
 */
const MAX_WINDOW = 256;

/** Where to claim: behind so many others of the same size. */
export interface ClaimPlace {
  /** 0 for the head of the queue. */
  readonly place: number;
  /** How many jobs to claim there. */
  readonly size: number;
}

/** After so many claims in a row that nobody disputed it comes half the way back to the head of the queue. */
const WINS = 8;

/**
 * Keeps a claimer away from others that claim at the same time: it claims at one of several places in the queue, chosen at
 * random, each as long as a claim. A lost claim doubles the number of places, as the back-off of Ethernet does (IEEE
 * 802.3), and claims that are won halve it again. Without competition that is the head of the queue, always.
 *
 * One for each worker, which remembers from claim to claim.
 */
export class ClaimSpread {
  /** That of the jobs which were found last. */
  priority = 0;
  #places = 1;
  #wins = 0;

  /** The next place to claim at, by who wants so many jobs. */
  next(wanted: number): ClaimPlace {
    const place = Math.floor(Math.random() * this.#places);
    return { place, size: this.#places > 1 ? Math.min(wanted, this.share) : wanted };
  }

  /** How many jobs one of those who claim may have at a time, as far as it noticed others. */
  get share(): number {
    return Math.floor(MAX_WINDOW / this.#places);
  }

  won(): void {
    this.#wins += 1;
    if (this.#wins < WINS) return;
    this.#places = Math.ceil(this.#places / 2);
    this.#wins = 0;
  }

  /** Somebody else took some of the same jobs. */
  lost(): void {
    this.#places = Math.min(MAX_PLACES, this.#places * 2);
    this.#wins = 0;
  }

  /** The queue has jobs for so many places only. */
  endsAfter(places: number): void {
    this.#places = Math.max(1, Math.min(this.#places, places));
  }
}
