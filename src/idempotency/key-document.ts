import { type CollectionDescription, expiring, formerExpiry, text } from '../mongo/collection-description.js';

/**
 * A document of the collection `idempotencyKeys`: a request that must be done once, however often it is sent. The
 * caller that does the request holds the document. If that caller dies, the next repetition continues with the same job
 * ids.
 */
export interface IdempotencyKeyDocument {
  /** The sender and the key that the sender chose, as JSON. */
  readonly _id: string;
  /** Hash of the request. No other request can use the key. */
  readonly requestHash: string;
  /** Ids for the jobs, chosen before the first write. A repetition finds the added jobs by them. */
  readonly jobIds: readonly string[];
  /** Id of the call that does the request now, or did it. */
  readonly holder: string;
  /** Moment until which no other call takes over the request. */
  readonly heldUntil: Date;
  /** The reply, once the request is done. */
  readonly reply?: string;
  /** When the key can be used for another request. MongoDB deletes the document then. */
  readonly expireAt: Date;
}

const ours = { _id: text, requestHash: text, jobIds: { $type: 'array' } } as const;

export const idempotencyKeysCollection: CollectionDescription = {
  name: 'idempotencyKeys',
  ours,
  // MongoDB deletes expired keys.
  indexes: [expiring('expiry', 'expireAt', ours)],
  formerIndexes: [formerExpiry],
};
