import type { RunningAttempt } from './running-attempt.js';

/** What was claimed ahead and has no slot after so long is given back: something runs longer than was to be expected. */
const MAX_WAIT_MS = 200;

/**
 * The attempts in the hands of one invocation, from the claim until they are settled: those that wait for a slot, those
 * that run, those that have ended, and those whose outcome is being written.
 */
export class HeldAttempts {
  /** And since when. */
  readonly #waiting = new Map<RunningAttempt, number>();
  readonly #running = new Set<RunningAttempt>();
  readonly #ended = new Set<RunningAttempt>();
  readonly #settling = new Set<RunningAttempt>();
  #patience: NodeJS.Timeout | undefined;

  /**
   * @param maxThreads how many slots there are
   * @param onWaitedLong called with what has waited for a slot for so long that it should be given back
   */
  constructor(
    private readonly maxThreads: number,
    private readonly onWaitedLong: (attempts: readonly RunningAttempt[]) => void,
  ) {}

  /** Claimed: waits for a slot. */
  add(attempt: RunningAttempt): void {
    this.#waiting.set(attempt, performance.now());
    this.#patience ??= setTimeout(() => this.#lookForLongWaits(), MAX_WAIT_MS);
  }

  /** Gives a free slot to the one that has waited longest, and returns it. */
  takeSlot(): RunningAttempt | undefined {
    if (this.#running.size >= this.maxThreads) return undefined;
    const [next] = this.#waiting.keys();
    if (next) {
      this.#noLongerWaits(next);
      this.#running.add(next);
    }
    return next;
  }

  /** Its outcome is decided. Returns whether it had a slot, which is free now. */
  end(attempt: RunningAttempt): boolean {
    this.#noLongerWaits(attempt);
    this.#ended.add(attempt);
    return this.#running.delete(attempt);
  }

  /** The write of its outcome begins. */
  beginSettling(attempt: RunningAttempt): void {
    this.#ended.delete(attempt);
    this.#settling.add(attempt);
  }

  /** Its outcome is written, or cannot be. */
  release(attempt: RunningAttempt): void {
    this.#ended.delete(attempt);
    this.#settling.delete(attempt);
  }

  /** Those without a slot yet, the oldest first. */
  get waiting(): readonly RunningAttempt[] {
    return [...this.#waiting.keys()];
  }

  get running(): readonly RunningAttempt[] {
    return [...this.#running];
  }

  /** Those that have had a slot. */
  get begun(): readonly RunningAttempt[] {
    return [...this.#running, ...this.#ended, ...this.#settling];
  }

  /** Whether a job that must run alone has begun, and its outcome is not being written yet. */
  get runsLoner(): boolean {
    const isLoner = ({ job }: RunningAttempt) => job.runAlone === true;
    return [...this.#running].some(isLoner) || [...this.#ended].some(isLoner);
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** How many have an outcome that is not being written yet. */
  get unwrittenCount(): number {
    return this.#waiting.size + this.#running.size + this.#ended.size;
  }

  get settlingCount(): number {
    return this.#settling.size;
  }

  get isEmpty(): boolean {
    return this.unwrittenCount + this.settlingCount === 0;
  }

  #noLongerWaits(attempt: RunningAttempt): void {
    this.#waiting.delete(attempt);
    if (this.#waiting.size > 0) return;
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  #lookForLongWaits(): void {
    const now = performance.now();
    const long = [...this.#waiting].filter(([, since]) => now - since >= MAX_WAIT_MS);
    if (long.length > 0) this.onWaitedLong(long.map(([attempt]) => attempt));
    const [oldest] = this.#waiting.values();
    if (oldest === undefined) return;
    this.#patience = setTimeout(() => this.#lookForLongWaits(), oldest + MAX_WAIT_MS - now);
  }
}
