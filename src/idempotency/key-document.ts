import { type CollectionDescription, expiring, formerExpiry, text } from '../mongo/collection-description.js';

/**
 * One document of the collection `idempotencyKeys`: a request that must be done once, however often it is sent. It is
 * held while it is done; when its holder dies, whoever sends the request next goes on with the same job ids.
 */
export interface IdempotencyKeyDocument {
  /** Who sent the request, and the key of his choice, as JSON. */
  readonly _id: string;
  /** Of the request: another one cannot have the key. */
  readonly requestHash: string;
  /** Chosen before the first write: whoever tries again meets the jobs that were added. */
  readonly jobIds: readonly string[];
  /** Who does it now, or did. */
  readonly holder: string;
  /** Until then nobody else does it. */
  readonly heldUntil: Date;
  /** Once it is done. */
  readonly reply?: string;
  /** When the key can be used for another request. MongoDB deletes the document then. */
  readonly expireAt: Date;
}

const ours = { _id: text, requestHash: text, jobIds: { $type: 'array' } } as const;

export const idempotencyKeysCollection: CollectionDescription = {
  name: 'idempotencyKeys',
  ours,
  // MongoDB deletes keys when their time has come.
  indexes: [expiring('expiry', 'expireAt', ours)],
  formerIndexes: [formerExpiry],
};
