import type { CappedCount } from '../job/count-jobs.js';

/**
 * One document of the collection `queues`: what a person set. A queue itself needs none, it is there as long as a job
 * names it.
 */
export interface QueueDocument {
  /** The name of the queue. */
  readonly _id: string;
  /** Since when it is paused. */
  readonly paused: Date;
}

/** Of documents of that collection: those that are ours. */
export const isPaused = { paused: { $type: 'date' } } as const;

/** A queue as the API gives it. */
export interface Queue {
  readonly name: string;
  /** Queued jobs that are due. */
  readonly ready: CappedCount;
  /** Queued jobs that are to run later. */
  readonly delayed: CappedCount;
  /** Since when the job waits that has waited longest; null when none is due. */
  readonly oldest: Date | null;
  /** Since when it is paused; null when it is not. */
  readonly paused: Date | null;
}

/** Some of the queues. */
export interface QueuePage {
  readonly queues: Queue[];
  /** For the next page; undefined at the end. */
  readonly cursor: string | undefined;
}
