import {
  type CollectionDescription,
  expiring,
  formerExpiry,
  moment,
  text,
} from '../mongo/collection-description.js';

/** How many wrong keys of one address are looked at within the window. Nobody mistypes a key ten times in a row. */
export const MAX_WRONG_KEYS = 10;

/** How long a wrong key counts, in milliseconds: 15 minutes. */
export const WRONG_KEY_WINDOW_MS = 15 * 60_000;

/** One document of the collection `wrongKeys`: when wrong keys came from one address lately. */
export interface WrongKeyDocument {
  /** The address. */
  readonly _id: string;
  /** At most `MAX_WRONG_KEYS`, the oldest first. */
  readonly at: readonly Date[];
  /** Whether the last one is among them, or was past the limit. */
  readonly isCounted: boolean;
  /** The database's time when it was written last. */
  readonly written: Date;
  /** When MongoDB deletes it. */
  readonly expireAt: Date;
}

const times = { $type: 'array' } as const;

export const wrongKeysCollection: CollectionDescription = {
  name: 'wrongKeys',
  ours: { _id: text, at: times, expireAt: moment },
  // MongoDB deletes what no longer counts.
  indexes: [expiring('expiry', 'expireAt', { _id: text, isCounted: { $exists: true }, at: times })],
  formerIndexes: [formerExpiry],
};
