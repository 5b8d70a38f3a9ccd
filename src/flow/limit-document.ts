import type { Collection } from 'mongodb';
import type { JobCollections } from '../job/jobs-collection.js';
import { type CollectionDescription, moment, text } from '../mongo/collection-description.js';

/** A document of the collection `limits`. Exists while jobs wait for the limit, or its rate was used recently. */
export interface LimitDocument {
  /** The limit's name, and `=` and the key if it has one. Begins with `rate ` for a rate limit. */
  readonly _id: string;
  /** When somebody must look after the line of this limit, at the latest. */
  readonly next: Date;
  /** Rate limit: when the next job may start, if the burst is used up. The "theoretical arrival time" of GCRA. */
  readonly tat?: Date;
  /** Rate limit: the first moment that no postponed job was given yet. */
  readonly tail?: Date;
  /** Rate limit: no job starts before this moment, because a job was told to slow down. */
  readonly until?: Date;
  /**
   * Rate limit: how many jobs the last reservation let start at once, and the first moments that it gave to those that
   * came at their moment and to the others.
   */
  readonly granted?: number;
  readonly free?: Date;
  readonly from?: Date;
}

/** The collections of jobs and of their limits. */
export interface FlowCollections extends JobCollections {
  readonly limits: Collection<LimitDocument>;
}

/** Serves the look for lines that somebody must look after. */
export const nextLook = { name: 'next', key: { next: 1 } } as const;

export const limitsCollection: CollectionDescription = {
  name: 'limits',
  ours: { _id: text, next: moment },
  indexes: [nextLook],
  formerIndexes: [],
};
