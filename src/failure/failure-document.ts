import { type CollectionDescription, expiring, moment, text } from '../mongo/collection-description.js';

/** A document of the collection `failures`: attempts of one kind of jobs that failed alike. */
export interface FailureDocument {
  /** The key, as jobs have it. See src/job/failure-key.ts. `other` in place of the digest: all that had no room. */
  readonly _id: string;
  readonly jobName: string;
  /** The message without what differs. */
  readonly message: string;
  /** The last message as it was. */
  readonly sample: string;
  /** Attempts that failed, as long as the group has been known. */
  readonly count: number;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  /** Attempts that failed in each of the last 24 hours, those without any left out. */
  readonly hours: readonly { readonly at: Date; readonly count: number }[];
  readonly expireAt: Date;
}

/** Returns the key of the group of all failures of a kind that had no room. */
export function otherKey(jobName: string): string {
  return `${jobName}${OTHER}`;
}

/** Whether a group is that of all failures of a kind that had no room. No job has its key. */
export function isOther(key: string): boolean {
  return key.endsWith(OTHER);
}

const OTHER = ':other';

/** Serves the list of groups, the last seen first. */
export const bySeen = { name: 'bySeen', key: { lastSeen: 1, _id: 1 } } as const;

/** Serves the list of one kind's groups, and their number. */
export const byKindSeen = { name: 'byKindSeen', key: { jobName: 1, lastSeen: 1, _id: 1 } } as const;

export const failuresCollection: CollectionDescription = {
  name: 'failures',
  ours: { _id: text, jobName: text, message: text, lastSeen: moment },
  indexes: [bySeen, byKindSeen, expiring('expiry', 'expireAt', { jobName: text, lastSeen: moment })],
  formerIndexes: [],
};
