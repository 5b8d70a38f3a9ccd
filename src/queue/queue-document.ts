import type { CappedCount } from '../job/count-jobs.js';

/**
 * A document of the collection `queues`, with what a person set. A queue needs no document. It exists as long as a job names
 * it.
 */
export interface QueueDocument {
  /** The name of the queue. */
  readonly _id: string;
  /** The moment since which the queue is paused. */
  readonly paused: Date;
}

/** Matches the documents of `queues` that are ours. */
export const isPaused = { paused: { $type: 'date' } } as const;

/** A queue as the API returns it. */
export interface Queue {
  readonly name: string;
  /** Queued jobs that are due. */
  readonly ready: CappedCount;
  /** Queued jobs that are due later. */
  readonly delayed: CappedCount;
  /** The moment since which the longest-waiting due job waits; null if no job is due. */
  readonly oldest: Date | null;
  /** The moment since which the queue is paused; null if it is not. */
  readonly paused: Date | null;
}

/** A page of queues. */
export interface QueuePage {
  readonly queues: Queue[];
  /** The cursor of the next page; undefined at the end. */
  readonly cursor: string | undefined;
}
