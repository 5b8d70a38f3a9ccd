import type { Attempt, AttemptState } from './attempt.js';
import type { Batch } from './batch.js';

/** A job that was claimed ahead and has no slot after this time is given back: some job runs longer than expected. */
const MAX_WAIT_MS = 200;

/**
 * Holds the attempts of one drain, from the claim until their outcomes are written, and their slots. Attempts that wait
 * for a slot are sorted by priority. The attempts of a batch share a slot, and those that join it do not wait in line.
 */
export class Pool {
  readonly #attempts = new Set<Attempt>();
  /** Attempts that wait for a slot, next one first. */
  #line: Attempt[] = [];
  /** The newest batch of each kind of jobs. */
  readonly #batches = new Map<string, Batch>();
  #running = 0;
  #ended = 0;
  #writing = 0;
  #longWaitTimer: NodeJS.Timeout | undefined;

  /**
   * @param slots how many attempts run at a time
   * @param onWaitedLong called with attempts that waited so long for a slot that they should be given back
   */
  constructor(
    private readonly slots: number,
    private readonly onWaitedLong: (attempts: readonly Attempt[]) => void,
  ) {}

  /** Adds attempts to the line in the given order, behind others of the same or a higher priority. */
  add(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) this.#attempts.add(attempt);
    const join = (attempt: Attempt) => this.#batches.get(attempt.job.jobName)?.add(attempt) ?? false;
    this.#line.push(...(this.#batches.size === 0 ? attempts : attempts.filter((each) => !join(each))));
    this.#line.sort((one, other) => other.job.priority - one.job.priority);
    if (attempts.length > 0) this.#longWaitTimer ??= setTimeout(() => this.#lookForLongWaits(), MAX_WAIT_MS);
  }

  /** Gives a free slot to the next attempt in line and returns that attempt. */
  takeSlot(): Attempt | undefined {
    if (this.#running >= this.slots) return undefined;
    const next = this.#line.shift();
    if (next === undefined) return undefined;
    this.#running += 1;
    this.#stopTimerIfNoneWaits();
    return next;
  }

  /** Lets the attempts of the batch's kind share its slot: those in line now, and those that are added while it is open. */
  open(batch: Batch): void {
    this.#batches.set(batch.jobName, batch);
    this.#line = this.#line.filter((each) => each.job.jobName !== batch.jobName || !batch.add(each));
    this.#stopTimerIfNoneWaits();
  }

  /** Batches that have not begun. */
  get openBatches(): readonly Batch[] {
    return [...this.#batches.values()].filter(({ hasBegun }) => !hasBegun);
  }

  /**
   * Notes that the outcome of an attempt is decided. Returns whether that freed a slot.
   *
   * @param before the state of the attempt before that
   */
  end(attempt: Attempt, before: AttemptState): boolean {
    this.#ended += 1;
    const { batch, job } = attempt;
    if (before === 'waiting' && !batch) this.#leaveLine(attempt);
    else if (batch?.remove(attempt) ?? true) {
      this.#running -= 1;
      if (batch && this.#batches.get(job.jobName) === batch) this.#batches.delete(job.jobName);
      return true;
    }
    return false;
  }

  /** Whether it holds another job of the same group, which is open then. */
  holdsSibling({ job: { id, group } }: Attempt): boolean {
    if (group === undefined) return false;
    for (const { job } of this.#attempts) if (job.group === group && job.id !== id) return true;
    return false;
  }

  /** Notes that the write of the attempt's outcome begins. */
  beginWriting(attempt: Attempt): void {
    attempt.state = 'writing';
    this.#ended -= 1;
    this.#writing += 1;
  }

  /** Removes an attempt whose outcome is written or cannot be written. */
  release(attempt: Attempt): void {
    this.#attempts.delete(attempt);
    if (attempt.state === 'writing') this.#writing -= 1;
    else this.#ended -= 1;
  }

  /** Attempts without a slot yet, next one first. */
  get waiting(): readonly Attempt[] {
    return this.#line;
  }

  /** Attempts that have not begun: those in line, and those in open batches. */
  get unbegun(): readonly Attempt[] {
    return [...this.#attempts].filter(({ state }) => state === 'waiting');
  }

  /** Attempts that have begun. */
  get begun(): readonly Attempt[] {
    return [...this.#attempts].filter(({ state }) => state !== 'waiting');
  }

  /** Number of all attempts except those being written. */
  get unwritten(): number {
    return this.#attempts.size - this.#writing;
  }

  /** Number of slots in use, and of attempts that wait for one. An open batch gives way to what waits. */
  get unfinished(): number {
    return this.#line.length + this.#running - this.openBatches.length;
  }

  /** Number of attempts that have ended and wait for their write. */
  get ended(): number {
    return this.#ended;
  }

  /** Number of outcomes being written. */
  get writing(): number {
    return this.#writing;
  }

  get isEmpty(): boolean {
    return this.#attempts.size === 0;
  }

  #leaveLine(attempt: Attempt): void {
    this.#line = this.#line.filter((other) => other !== attempt);
    this.#stopTimerIfNoneWaits();
  }

  /** Stops the timer when nothing waits. */
  #stopTimerIfNoneWaits(): void {
    if (this.#line.length > 0) return;
    clearTimeout(this.#longWaitTimer);
    this.#longWaitTimer = undefined;
  }

  #lookForLongWaits(): void {
    const now = performance.now();
    const long = this.#line.filter(({ askedAt }) => now - askedAt >= MAX_WAIT_MS);
    if (long.length > 0) this.onWaitedLong(long); // This takes them out of the line.
    this.#longWaitTimer = undefined;
    if (this.#line.length === 0) return;
    const oldest = Math.min(...this.#line.map(({ askedAt }) => askedAt));
    this.#longWaitTimer = setTimeout(() => this.#lookForLongWaits(), oldest + MAX_WAIT_MS - now);
  }
}
