import type { Attempt, AttemptState } from './attempt.js';
import type { Batch } from './batch.js';
import { Batches } from './batches.js';
import type { DrainLimits } from './drain-scope.js';
import type { Pace } from './pace.js';

/**
 * How long a job claimed ahead may wait for a slot. After that, some job runs longer than expected, so this one is given
 * back.
 */
const MAX_WAIT_MS = 200;

/**
 * Holds the attempts of one drain, from the claim until their outcomes are written, and begins each once it has a slot.
 * Attempts that wait for a slot are sorted by priority. The attempts of a batch share a slot, and those that join it do
 * not wait in line.
 */
export class Pool {
  /** Whether more jobs are due than the last claim took, as far as it could see. */
  moreWait = false;
  /** Whether due jobs must run alone. There is then room for nothing else, and nothing waits for a batch. */
  jobsWaitAlone: boolean;
  readonly #attempts = new Set<Attempt>();
  /** Attempts that wait for a slot, next one first. */
  #line: Attempt[] = [];
  readonly #batches: Batches;
  #slotsUsed = 0;
  #ended = 0;
  #writing = 0;
  #abandoned = 0;
  #longWaitTimer: NodeJS.Timeout | undefined;

  /** @param onRoom called when there may be room for more jobs, or more to do for a batch */
  constructor(
    private readonly limits: DrainLimits,
    private readonly pace: Pace,
    private readonly onRoom: () => void,
  ) {
    this.jobsWaitAlone = limits.runsAlone;
    this.#batches = new Batches(limits, onRoom);
  }

  get isEmpty(): boolean {
    return this.#attempts.size === 0;
  }

  /** Whether nothing more may begin. */
  get isClosed(): boolean {
    const { stop, stopWhenAbandoned = false } = this.limits;
    return stop.aborted || (stopWhenAbandoned && this.#abandoned > 0);
  }

  /** Whether more jobs may be claimed beside those that it holds. */
  get isOpen(): boolean {
    return !this.isClosed && !this.jobsWaitAlone;
  }

  /** Number of attempts that were decided while their function was still running. */
  get abandoned(): number {
    return this.#abandoned;
  }

  /** Number of all attempts except those being written. */
  get unwritten(): number {
    return this.#attempts.size - this.#writing;
  }

  /**
   * Returns how many jobs to claim now: enough for the free slots and for `ahead` that wait for one.
   *
   * While more jobs are due, the next claim runs beside the write that settles the last ones. Unwritten outcomes then
   * reduce the claim only when there are very many. If no more jobs are due, the claim waits for that write, so a single
   * claim finds requeued jobs too and fills all slots.
   */
  room(ahead: number): number {
    if (!this.isOpen) return 0;
    const waiting = this.#line.length;
    // Enough jobs wait for now, so the next claim can take more at once.
    if (waiting > 0 && waiting >= ahead / 2) return 0;
    // An open batch gives way to what waits.
    const unfinished = waiting + this.#slotsUsed - this.#batches.open.length;
    const unsettled = this.moreWait ? Math.max(0, this.#ended - ahead) : this.#ended + this.#writing;
    return this.limits.maxThreads + ahead - unfinished - unsettled;
  }

  /** Adds attempts to the line in the given order, behind others of the same or a higher priority, and begins the first. */
  add(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) this.#attempts.add(attempt);
    this.#line.push(...attempts.filter((each) => !this.#batches.join(each)));
    this.#line.sort((one, other) => other.job.priority - one.job.priority);
    if (attempts.length > 0) this.#longWaitTimer ??= setTimeout(() => this.#giveBackLongWaits(), MAX_WAIT_MS);
    for (const attempt of attempts) attempt.passOverIfNewer();
    this.#beginNext();
  }

  /**
   * Notes that the outcome of an attempt is decided. If that frees a slot, the next one begins.
   *
   * @param before the state of the attempt before that
   */
  end(attempt: Attempt, before: AttemptState): void {
    this.#ended += 1;
    if (attempt.isAbandoned) this.#abandoned += 1;
    if (before === 'waiting' && !attempt.batch) {
      this.#takeFromLine((each) => each === attempt);
      return;
    }
    if (!this.#batches.leave(attempt)) return;
    this.#slotsUsed -= 1;
    this.pace.ended();
    this.#beginNext();
  }

  /**
   * Fills each new batch for which more jobs wait. Also fills each older batch that may begin now. Begins all batches that
   * may.
   *
   * @param fill claims more jobs for a batch
   */
  async fillBatches(fill: (batch: Batch) => Promise<void>): Promise<void> {
    const { moreWait } = this;
    for (const batch of this.#batches.open) {
      const { isNew } = batch;
      const mayBegin = batch.isDue || this.jobsWaitAlone || this.#line.length > 0;
      batch.isNew = false;
      if (isNew ? moreWait : mayBegin) await fill(batch);
      if (mayBegin) batch.begin();
      // The jobs of the last claim share a slot, so others may be free.
      if (isNew && moreWait) this.onRoom();
    }
  }

  /** Notes that the write of the attempt's outcome begins. */
  beginWriting(attempt: Attempt): void {
    attempt.state = 'writing';
    this.#ended -= 1;
    this.#writing += 1;
    // Otherwise the claim after the write finds as many.
    if (this.moreWait) this.onRoom();
  }

  /** Removes an attempt whose outcome is written or cannot be written. */
  release(attempt: Attempt): void {
    this.#attempts.delete(attempt);
    if (attempt.state === 'writing') this.#writing -= 1;
    else this.#ended -= 1;
    this.onRoom();
  }

  /** Whether it holds another job of the same group, which is open then. */
  holdsSibling({ job: { id, group } }: Attempt): boolean {
    if (group === undefined) return false;
    for (const { job } of this.#attempts) if (job.group === group && job.id !== id) return true;
    return false;
  }

  /** Gives back the attempts that have not begun: all, or those of one kind of jobs. */
  decline(jobName?: string): void {
    for (const attempt of [...this.#attempts])
      if (jobName === undefined || attempt.job.jobName === jobName) attempt.decline();
  }

  /** Gives back what has not begun, and fires the signals of what has. */
  stop(): void {
    this.decline();
    for (const attempt of [...this.#attempts]) attempt.abort('stopping');
    this.onRoom();
  }

  /** Gives back everything that is still running. */
  abandon(): void {
    for (const attempt of [...this.#attempts]) attempt.abandon();
  }

  /** Begins waiting attempts while slots are free. Gives them back if nothing may begin any more. */
  #beginNext(): void {
    if (this.isClosed) {
      this.decline();
      return;
    }
    while (this.#slotsUsed < this.limits.maxThreads) {
      const next = this.#line.shift();
      if (next === undefined) return;
      this.#slotsUsed += 1;
      this.#stopTimerIfNoneWaits();
      this.pace.began();
      this.#begin(next);
    }
  }

  /** Begins an attempt that has a slot, or opens a batch with it, which others in line join. */
  #begin(attempt: Attempt): void {
    // A job that must run alone has a call of its own.
    if (this.jobsWaitAlone || !this.#batches.begin(attempt)) attempt.begin();
    else this.#takeFromLine((each) => this.#batches.join(each));
  }

  #takeFromLine(isTaken: (attempt: Attempt) => boolean): void {
    this.#line = this.#line.filter((each) => !isTaken(each));
    this.#stopTimerIfNoneWaits();
  }

  /** Stops the timer when nothing waits. */
  #stopTimerIfNoneWaits(): void {
    if (this.#line.length > 0) return;
    clearTimeout(this.#longWaitTimer);
    this.#longWaitTimer = undefined;
  }

  #giveBackLongWaits(): void {
    const now = performance.now();
    const long = this.#line.filter(({ askedAt }) => now - askedAt >= MAX_WAIT_MS);
    if (long.length > 0) this.pace.forget();
    for (const attempt of long) attempt.decline(); // This takes them out of the line.
    this.#longWaitTimer = undefined;
    if (this.#line.length === 0) return;
    const oldest = Math.min(...this.#line.map(({ askedAt }) => askedAt));
    this.#longWaitTimer = setTimeout(() => this.#giveBackLongWaits(), oldest + MAX_WAIT_MS - now);
  }
}
