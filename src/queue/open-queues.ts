import { findPausedQueues } from './find-paused-queues.js';
import { findWaitingQueues } from './find-waiting-queues.js';
import type { QueueCollections } from './queue-document.js';

/** How long a read is trusted. A pause goes unnoticed for at most this time. So does a new queue while any queue is paused. */
const READ_AGAIN_MS = 5_000;

/**
 * Maximum number of queues in a claim. MongoDB merges at most 200 index scans in order. With more queues, it would sort
 * all waiting jobs. If more queues have jobs, they take turns.
 */
const MAX_NAMED = 200;

/**
 * Returns the queues from which jobs may be taken, without the paused ones. Reads the paused queues when asked, at most every 5
 * s. While no queue is paused, the read is one small command.
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
   * Returns those of the given queues that are not paused. Without given queues, considers all. Undefined means all queues.
   *
   * While any queue is paused, the list of all queues with queued jobs takes the place of undefined. A condition that excludes
   * the paused queues would be slow: a claim would read through all jobs that wait in them.
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
