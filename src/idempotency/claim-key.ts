import type { Collection, Document } from 'mongodb';
import ms from 'ms';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import type { IdempotencyKeyDocument } from './key-document.js';

/** How long a claim keeps others away. It is longer than a request may take, even behind API Gateway. */
const HOLD_MS = ms('30s');

/** How long a key is kept. Clients have stopped retrying by then. */
const KEEP_MS = ms('24h');

/** A request, and the caller that claims its key. */
export type KeyClaim = Pick<IdempotencyKeyDocument, '_id' | 'requestHash' | 'jobIds' | 'holder'>;

/**
 * Claims a key that is free, or whose holder stopped before the request was done. Leaves any other key as it is.
 *
 * @returns the document as it is now. The claim succeeded if its `holder` is the claimant
 */
export async function claimKey(
  keys: Collection<IdempotencyKeyDocument>,
  claim: KeyClaim,
): Promise<IdempotencyKeyDocument> {
  for (;;) {
    const document = await keys
      .findOneAndUpdate({ _id: claim._id }, toUpdate(claim), { upsert: true, returnDocument: 'after' })
      .catch(undefinedIfTaken);
    if (document) return document;
  }
}

/** Ignores the duplicate key of two simultaneous inserts. The next try finds the other document. */
function undefinedIfTaken(error: unknown): undefined {
  if (isDuplicateKey(error)) return undefined;
  throw error;
}

function toUpdate({ holder, requestHash, ...rest }: KeyClaim): Document[] {
  const held = { holder, heldUntil: { $add: ['$$NOW', HOLD_MS] } };
  const taken = {
    $mergeObjects: [
      { $literal: { ...rest, requestHash } },
      { ...held, expireAt: { $add: ['$$NOW', KEEP_MS] } },
    ],
  };
  const isFree = { $lte: [{ $ifNull: ['$expireAt', new Date(0)] }, '$$NOW'] };
  const isLeft = {
    $and: [
      { $eq: ['$requestHash', { $literal: requestHash }] },
      { $eq: [{ $type: '$reply' }, 'missing'] },
      { $lte: ['$heldUntil', '$$NOW'] },
    ],
  };
  const takenOver = { $cond: [isLeft, { $mergeObjects: ['$$ROOT', held] }, '$$ROOT'] };
  return [{ $replaceWith: { $cond: [isFree, taken, takenOver] } }];
}
