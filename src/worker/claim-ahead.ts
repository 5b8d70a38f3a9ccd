/** Jobs claimed ahead should begin within so long: short beside what a claim takes over a network. */
const AHEAD_MS = 20;

/** Fewer than this share of the slots is none: those of longer jobs would wait for long when all end together. */
const MIN_SHARE = 1 / 4;

/** One by one they would cost a command more than claimed by a worker that is idle. */
const MIN_AHEAD = 2;

/** More would save hardly a command, and would leave more to recover after a crash. */
const MAX_AHEAD = 200;

/** The same where others claim as well: then every claim passes over some like it, and each worker is to get its share. */
const MAX_AHEAD_OF_OTHERS = 100;

/** What one invocation holds at most: a claim and a recovery of so many are still quick. */
const MAX_HELD = 1000;

/** The pace is that of so many endings, or of twice as many as run at a time: those that began together may end so. */
const MIN_ENDINGS = 10;

/**
 * Decides how many jobs to claim beyond the free slots: as many as should begin within 20 ms, at the pace at which
 * attempts ended lately. So jobs of some milliseconds do not wait for a claim each time, and share it with more. Of longer
 * ones, from about 80 ms on, none is taken before there is a slot for it: another worker could begin it sooner.
 *
 * Time counts while something runs only: how long a claim takes says nothing about the jobs.
 */
export class ClaimAhead {
  /** When each of the last endings was, by `#clock`, the oldest at `#count % #size`. */
  readonly #endings: number[] = [];
  readonly #size: number;
  #count = 0;
  #running = 0;
  /** When the first of what runs began. */
  #runningSince = 0;
  /** For how long something ran, until nothing did. */
  #ranMs = 0;

  /** @param maxThreads how many attempts run at a time */
  constructor(private readonly maxThreads: number) {
    this.#size = Math.max(MIN_ENDINGS, 2 * maxThreads);
  }

  /** An attempt has got a slot. */
  began(): void {
    if (this.#running === 0) this.#runningSince = performance.now();
    this.#running += 1;
  }

  /** Its slot is free again. */
  ended(): void {
    const now = this.#clock;
    this.#endings[this.#count % this.#size] = now;
    this.#count += 1;
    this.#running -= 1;
    if (this.#running === 0) this.#ranMs = now;
  }

  /** What waited for a slot was given back: the pace is another one now, and not known. */
  forget(): void {
    this.#count = 0;
  }

  /** How many jobs may wait for a slot: none, until the pace is known. @param competes whether others claim as well */
  limit(competes: boolean): number {
    if (this.#count < this.#size) return 0;
    const oldest = this.#endings[this.#count % this.#size] ?? 0;
    const beginSoon = Math.floor((this.#size * AHEAD_MS) / (this.#clock - oldest));
    if (beginSoon < Math.max(MIN_AHEAD, this.maxThreads * MIN_SHARE)) return 0;
    return Math.max(
      0,
      Math.min(beginSoon, competes ? MAX_AHEAD_OF_OTHERS : MAX_AHEAD, MAX_HELD - this.maxThreads),
    );
  }

  /** For how long something has run, in milliseconds. */
  get #clock(): number {
    return this.#ranMs + (this.#running > 0 ? performance.now() - this.#runningSince : 0);
  }
}
