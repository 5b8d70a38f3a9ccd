/** So many places are enough for so many claims at the same moment; more would only give up more of the order. */
const MAX_PLACES = 8;

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
  #places = 1;
  #wins = 0;
  #metLoner = false;

  /**
   * The next place to claim at, 0 for the head of the queue. After a job that must run alone was met it is the head, where
   * that one is: claiming behind it a busy worker might never be idle, and the job never run.
   */
  next(): number {
    const place = this.#metLoner ? 0 : Math.floor(Math.random() * this.#places);
    this.#metLoner = false;
    return place;
  }

  /** Whether others claim as well, as far as it noticed. */
  get competes(): boolean {
    return this.#places > 1;
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

  /** A job that must run alone was found by a worker that cannot take it. */
  metLoner(): void {
    this.#metLoner = true;
  }
}
