import type { Attempt } from './attempt.js';

/** What was claimed ahead and has no slot after so long is given back: something runs longer than was to be expected. */
const MAX_WAIT_MS = 200;

/**
 * The attempts in the hands of one drain, from the claim until their outcomes are written, and the slots in which they
 * run. Each attempt knows its own state; those that wait for a slot stand in line by their priority.
 */
export class Pool {
  readonly #attempts = new Set<Attempt>();
  /** The next one first. */
  #line: Attempt[] = [];
  #running = 0;
  #writing = 0;
  #patience: NodeJS.Timeout | undefined;

  /**
   * @param slots how many attempts run at a time
   * @param onWaitedLong called with what has waited for a slot for so long that it should be given back
   */
  constructor(
    private readonly slots: number,
    private readonly onWaitedLong: (attempts: readonly Attempt[]) => void,
  ) {}

  /** Has them wait for a slot, in the order given, behind others of the same or a higher priority. */
  add(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) this.#attempts.add(attempt);
    this.#line.push(...attempts);
    this.#line.sort((one, other) => other.job.priority - one.job.priority);
    if (attempts.length > 0) this.#patience ??= setTimeout(() => this.#lookForLongWaits(), MAX_WAIT_MS);
  }

  /** Gives a free slot to the next in line, and returns it. */
  takeSlot(): Attempt | undefined {
    if (this.#running >= this.slots) return undefined;
    const next = this.#line.shift();
    if (next === undefined) return undefined;
    this.#running += 1;
    this.#rest();
    return next;
  }

  /** Its slot is free: its outcome is decided. */
  freeSlot(): void {
    this.#running -= 1;
  }

  /** It waits no more: its outcome was decided before it had a slot. */
  leaveLine(attempt: Attempt): void {
    this.#line = this.#line.filter((other) => other !== attempt);
    this.#rest();
  }

  /** The write of its outcome begins. */
  beginWriting(attempt: Attempt): void {
    attempt.state = 'writing';
    this.#writing += 1;
  }

  /** Its outcome is written, or cannot be. */
  release(attempt: Attempt): void {
    this.#attempts.delete(attempt);
    if (attempt.state === 'writing') this.#writing -= 1;
  }

  /** Those without a slot yet, the next one first. */
  get waiting(): readonly Attempt[] {
    return this.#line;
  }

  /** Those that have had a slot. */
  get begun(): readonly Attempt[] {
    return [...this.#attempts].filter(({ state }) => state !== 'waiting');
  }

  /** How many have an outcome that is not being written yet, or none. */
  get unwritten(): number {
    return this.#attempts.size - this.#writing;
  }

  /** How many have no outcome yet. */
  get unfinished(): number {
    return this.#line.length + this.#running;
  }

  /** How many have an outcome that is not being written yet. */
  get ended(): number {
    return this.unwritten - this.unfinished;
  }

  /** How many outcomes are being written. */
  get writing(): number {
    return this.#writing;
  }

  get isEmpty(): boolean {
    return this.#attempts.size === 0;
  }

  /** No timer runs while nothing waits. */
  #rest(): void {
    if (this.#line.length > 0) return;
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  #lookForLongWaits(): void {
    const now = performance.now();
    const long = this.#line.filter(({ askedAt }) => now - askedAt >= MAX_WAIT_MS);
    if (long.length > 0) this.onWaitedLong(long);
    this.#patience = undefined;
    if (this.#line.length === 0) return;
    const oldest = Math.min(...this.#line.map(({ askedAt }) => askedAt));
    this.#patience = setTimeout(() => this.#lookForLongWaits(), oldest + MAX_WAIT_MS - now);
  }
}
