import type { Collection } from 'mongodb';
import type { CappedCount } from '../job/count-jobs.js';
import type { JobCollections } from '../job/jobs-collection.js';
import { type CollectionDescription, moment, text } from '../mongo/collection-description.js';

/**
 * A document of the collection `queues`. Exists only for a queue that a person paused. Other queues exist as long as
 * jobs name them.
 */
export interface QueueDocument {
  /** The name of the queue. */
  readonly _id: string;
  /** Moment at which the queue was paused. */
  readonly paused: Date;
}

/** The collections of queues and of the jobs in them. */
export interface QueueCollections extends JobCollections {
  readonly queues: Collection<QueueDocument>;
}

/** Matches our documents. */
export const isPaused = { paused: moment } as const;

export const queuesCollection: CollectionDescription = {
  name: 'queues',
  ours: { _id: text, ...isPaused },
  indexes: [],
  formerIndexes: [],
};

/** A queue as the API returns it. */
export interface Queue {
  readonly name: string;
  /** Queued jobs that are due. */
  readonly ready: CappedCount;
  /** Queued jobs that are due later. */
  readonly delayed: CappedCount;
  /** Moment since which the longest-waiting job waits. Null if none is due. */
  readonly oldest: Date | null;
  /** Moment at which the queue was paused. Null if it is not paused. */
  readonly paused: Date | null;
}

export interface QueuePage {
  readonly queues: Queue[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}
