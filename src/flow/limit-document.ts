import type { Collection } from 'mongodb';
import type { JobCollections } from '../job/jobs-collection.js';
import { type CollectionDescription, moment, text } from '../mongo/collection-description.js';

/**
 * A document of the collection `limits`. Exists while jobs wait for the limit, its rate was used recently, a person's
 * setting holds, or attempts of a kind with a circuit breaker failed recently.
 */
export interface LimitDocument extends LimitSetting {
  /**
   * The limit's name, and `=` and the key if it has one. Begins with `rate ` for a rate limit. `breaker ` and the name of
   * a kind of jobs for a circuit breaker.
   */
  readonly _id: string;
  /** When somebody must look after the line of this limit, at the latest. Absent if nobody waits. */
  readonly next?: Date;
  /**
   * When a person last changed the setting. Once the setting is gone, this stays while jobs wait. More jobs may then run
   * than the limit has places.
   */
  readonly set?: Date;
  /** Rate limit: when the next job may start once the burst is used up. The "theoretical arrival time" of GCRA. */
  readonly tat?: Date;
  /** Rate limit: the first moment that no postponed job was given yet. */
  readonly tail?: Date;
  /** Rate limit: no job starts before this moment, because a job was told to slow down. */
  readonly until?: Date;
  /** Strict order: the moment of the last job in line, and who gave it. */
  readonly last?: Date;
  readonly takenBy?: string;
  /**
   * Rate limit: the result of the last reservation. It has the number of jobs that might start at once, the first moment
   * given to jobs that came at their moment, and the first moment given to the others.
   */
  readonly granted?: number;
  readonly free?: Date;
  readonly from?: Date;
  /** Circuit breaker: when the last attempts failed, while it is closed. */
  readonly failed?: readonly Date[];
  /** Circuit breaker: since when it is open or half open. Absent while it is closed. */
  readonly opened?: Date;
  /** Circuit breaker: identifies the write that opened it. */
  readonly openedBy?: string;
  /** Circuit breaker: when a job may be tried. If one is tried, when somebody may ask whether it still runs. */
  readonly probeAt?: Date;
  /** Circuit breaker: the job that is tried. */
  readonly probe?: Probe;
}

/** A job that shows whether others of its kind may run again. */
export interface Probe {
  readonly job: string;
  /** Fencing token of its lease. */
  readonly token: string;
}

/** Matches a limit that nobody has set or paused. */
export const isUnset = { max: { $exists: false }, paused: { $exists: false } } as const;

/** Settings that a person has made. They win over the code. */
export interface LimitSetting {
  /** Number of places. Absent for the number in the code. */
  readonly max?: number;
  /** Moment since which no job of the limit starts. Absent if it is not paused. */
  readonly paused?: Date;
}

/** The collections of jobs and of their limits. */
export interface FlowCollections extends JobCollections {
  readonly limits: Collection<LimitDocument>;
}

/** Serves the look for lines that somebody must look after. */
export const nextLook = { name: 'next', key: { next: 1 } } as const;

/** Holds the limits that a person has set. */
export const settingIndex = {
  name: 'set',
  key: { set: 1 },
  partialFilterExpression: { set: { $exists: true } },
} as const;

export const limitsCollection: CollectionDescription = {
  name: 'limits',
  ours: { _id: text, $or: [{ next: moment }, { set: moment }] },
  indexes: [nextLook, settingIndex],
  formerIndexes: [],
};
