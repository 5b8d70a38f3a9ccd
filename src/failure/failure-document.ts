import { type CollectionDescription, expiring, moment, text } from '../mongo/collection-description.js';

/** A document of the collection `failures`: failed attempts of one kind of job with the same key. */
export interface FailureDocument {
  /**
   * The key, as jobs have it. See src/job/failure-key.ts. The group of all failures without room has `other` in place of the
   * digest.
   */
  readonly _id: string;
  readonly jobName: string;
  /** The message without the parts that differ. */
  readonly message: string;
  /** The last message, with the parts that differ. */
  readonly sample: string;
  /** Number of attempts that failed, since the group has been known. */
  readonly count: number;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  /** Number of attempts that failed in each of the last 24 hours. Hours without failures are left out. */
  readonly hours: readonly { readonly at: Date; readonly count: number }[];
  readonly expireAt: Date;
}

/** Returns the key of the group that counts a kind's failures without room. */
export function otherKey(jobName: string): string {
  return `${jobName}${OTHER}`;
}

/** Returns whether a group counts a kind's failures without room. No job has its key. */
export function isOther(key: string): boolean {
  return key.endsWith(OTHER);
}

const OTHER = ':other';

/** Serves the list of groups, the last seen first. */
export const bySeen = { name: 'bySeen', key: { lastSeen: 1, _id: 1 } } as const;

/** Serves the list and the number of one kind's groups. */
export const byKindSeen = { name: 'byKindSeen', key: { jobName: 1, lastSeen: 1, _id: 1 } } as const;

export const failuresCollection: CollectionDescription = {
  name: 'failures',
  ours: { _id: text, jobName: text, message: text, lastSeen: moment },
  indexes: [bySeen, byKindSeen, expiring('expiry', 'expireAt', { jobName: text, lastSeen: moment })],
  formerIndexes: [],
};
