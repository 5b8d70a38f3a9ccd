import {
  type CollectionDescription,
  expiring,
  formerExpiry,
  moment,
  text,
} from '../mongo/collection-description.js';

/** Maximum number of wrong keys from one address within the window. Nobody mistypes a key ten times in a row. */
export const MAX_WRONG_KEYS = 10;

/** How long a wrong key counts: 15 minutes, in milliseconds. */
export const WRONG_KEY_WINDOW_MS = 15 * 60_000;

/** A document of the collection `wrongKeys`: recent wrong keys from one address. */
export interface WrongKeyDocument {
  /** The address. */
  readonly _id: string;
  /** When the keys came, oldest first. At most `MAX_WRONG_KEYS`. */
  readonly at: readonly Date[];
  /** Whether the last key was counted. False if it was beyond the limit. */
  readonly isCounted: boolean;
  /** When the document was last written, by the database's clock. */
  readonly written: Date;
  /** When MongoDB deletes the document. */
  readonly expireAt: Date;
}

const times = { $type: 'array' } as const;

export const wrongKeysCollection: CollectionDescription = {
  name: 'wrongKeys',
  ours: { _id: text, at: times, expireAt: moment },
  // MongoDB deletes documents whose keys no longer count.
  indexes: [expiring('expiry', 'expireAt', { _id: text, isCounted: { $exists: true }, at: times })],
  formerIndexes: [formerExpiry],
};
