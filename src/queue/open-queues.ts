import { findPausedQueues } from './find-paused-queues.js';
import { findWaitingQueues } from './find-waiting-queues.js';
import type { QueueCollections } from './queue-document.js';

/**
 * How long a read is trusted. A pause is noticed after at most this time, and so is a new queue while any queue is
 * paused.
 */
const READ_AGAIN_MS = 5_000;

/**
 * Maximum number of queues in a claim. MongoDB merges at most 200 index scans in order. With more queues, it would sort
 * all waiting jobs. If more queues have jobs, they take turns.
 */
const MAX_NAMED = 200;

/**
 * Returns from which queues jobs may be taken, given the paused ones. Reads these again at most every 5 seconds, and
 * only when asked. While no queue is paused, that is one small command.
 */
export class OpenQueues {
  #paused: ReadonlySet<string> = new Set();
  #pausedReadAt = Number.NEGATIVE_INFINITY;
  #waiting: readonly string[] = [];
  #waitingReadAt = Number.NEGATIVE_INFINITY;
  /** The last name of the previous turn, after which the next turn begins. */
  #after = '';

  constructor(private readonly collections: QueueCollections) {}

  /** Stores the paused queues that the caller has just read. */
  learn(paused: readonly string[]): void {
    this.#paused = new Set(paused);
    this.#pausedReadAt = performance.now();
    this.#waitingReadAt = Number.NEGATIVE_INFINITY;
  }

  /** Makes the next call read again. */
  forget(): void {
    this.#pausedReadAt = Number.NEGATIVE_INFINITY;
    this.#waitingReadAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Returns those of these queues that are not paused, or of all queues if none are given. Undefined means all.
   *
   * While any queue is paused, "all" becomes a list of the queues that have queued jobs. With a condition that excludes
   * the paused queues, a claim would read through the jobs waiting in them.
   *
   * @throws errors of the driver
   */
  async among(queues: readonly string[] | undefined): Promise<readonly string[] | undefined> {
    if (isOld(this.#pausedReadAt)) await this.#readPaused();
    if (this.#paused.size === 0) return queues;
    if (queues === undefined && isOld(this.#waitingReadAt)) await this.#readWaiting();
    return (queues ?? this.#waiting).filter((name) => !this.#paused.has(name));
  }

  /** The names of the paused queues, as last read. */
  get paused(): readonly string[] {
    return [...this.#paused];
  }

  /** Returns the names of the paused queues, at most 5 seconds old. @throws errors of the driver */
  async pausedNow(): Promise<readonly string[]> {
    if (isOld(this.#pausedReadAt)) await this.#readPaused();
    return this.paused;
  }

  async #readPaused(): Promise<void> {
    const paused = await findPausedQueues(this.collections.queues);
    this.learn(paused.map(({ _id }) => _id));
  }

  async #readWaiting(): Promise<void> {
    const limit = MAX_NAMED + this.#paused.size;
    const names = await findWaitingQueues(this.collections.jobs, { after: this.#after, limit });
    const open = names.filter((name) => !this.#paused.has(name)).slice(0, MAX_NAMED);
    this.#after = names.length < limit ? '' : (open.at(-1) ?? '');
    this.#waiting = open;
    this.#waitingReadAt = performance.now();
  }
}

function isOld(readAt: number): boolean {
  return performance.now() - readAt >= READ_AGAIN_MS;
}
