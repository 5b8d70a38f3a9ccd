import type { Collections } from '../mongo/collections.js';
import { findPausedQueues } from './find-paused-queues.js';
import { findWaitingQueues } from './find-waiting-queues.js';

/** What was read is good for so long: a pause, and a new queue while something is paused, is noticed that late. */
const READ_AGAIN_MS = 5_000;

/**
 * MongoDB merges at most 200 scans of an index in order; with more queues named in a claim it would sort all that waits
 * instead. When more have jobs, they take turns.
 */
const MAX_NAMED = 200;

/**
 * Which queues jobs may be taken from, by what people paused. What is known is read again at most every 5 seconds, and
 * only when it is asked for; while nothing is paused, that is one small command.
 */
export class OpenQueues {
  #paused: ReadonlySet<string> = new Set();
  #pausedReadAt = Number.NEGATIVE_INFINITY;
  #waiting: readonly string[] = [];
  #waitingReadAt = Number.NEGATIVE_INFINITY;
  /** Where the names that did not fit last time begin. */
  #after = '';

  constructor(private readonly collections: Pick<Collections, 'jobs' | 'queues'>) {}

  /** Somebody has just read which queues are paused. */
  learn(paused: readonly string[]): void {
    this.#paused = new Set(paused);
    this.#pausedReadAt = performance.now();
    this.#waitingReadAt = Number.NEGATIVE_INFINITY;
  }

  /** What is known may not be so any more. */
  forget(): void {
    this.#pausedReadAt = Number.NEGATIVE_INFINITY;
    this.#waitingReadAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Of these queues, those that are open; of all when none are given. Undefined means all.
   *
   * While something is paused, all are told by the names of those that have queued jobs: a condition that leaves out the
   * paused ones would have a claim read through what waits in them.
   *
   * @throws what the driver throws
   */
  async among(queues: readonly string[] | undefined): Promise<readonly string[] | undefined> {
    if (isOld(this.#pausedReadAt)) await this.#readPaused();
    if (this.#paused.size === 0) return queues;
    if (queues === undefined && isOld(this.#waitingReadAt)) await this.#readWaiting();
    return (queues ?? this.#waiting).filter((name) => !this.#paused.has(name));
  }

  /** The names of those that are paused, as far as they are known. */
  get paused(): readonly string[] {
    return [...this.#paused];
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
