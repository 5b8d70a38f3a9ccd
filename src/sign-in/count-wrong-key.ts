import type { Collection, Document } from 'mongodb';
import { ForeignDocumentsError } from '../errors.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { unlessForeign } from '../mongo/unless-foreign.js';
import { MAX_WRONG_KEYS, WRONG_KEY_WINDOW_MS, type WrongKeyDocument } from './wrong-key-document.js';

/**
 * Whether a wrong key was within the limit for its address. Beyond the limit, no key is counted until the oldest is old enough.
 */
export type WrongKeyCount =
  | { readonly kind: 'counted' }
  | { readonly kind: 'limited'; readonly retryAfterMs: number };

/**
 * Counts a wrong key, in one command.
 *
 * @param address the sender's address, whose wrong keys are counted together
 */
export async function countWrongKey(
  wrongKeys: Collection<WrongKeyDocument>,
  address: string,
): Promise<WrongKeyCount> {
  const { isCounted, at, written } = await write(wrongKeys, address);
  if (isCounted) return { kind: 'counted' };
  const oldest = at[0] ?? written;
  return { kind: 'limited', retryAfterMs: oldest.getTime() + WRONG_KEY_WINDOW_MS - written.getTime() };
}

/**
 * Retries once. If the first two keys of an address arrive together, one insert fails. Its retry finds the other's document.
 */
async function write(wrongKeys: Collection<WrongKeyDocument>, address: string): Promise<WrongKeyDocument> {
  try {
    return await writeOnce(wrongKeys, address);
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return writeOnce(wrongKeys, address);
  }
}

async function writeOnce(
  wrongKeys: Collection<WrongKeyDocument>,
  address: string,
): Promise<WrongKeyDocument> {
  const document = await wrongKeys.findOneAndUpdate({ _id: address }, addNow, {
    upsert: true,
    returnDocument: 'after',
  });
  if (document?.isCounted !== undefined) return document;
  if (document) throw new ForeignDocumentsError([{ collection: wrongKeys.collectionName, id: address }]);
  throw new Error('An upsert gave no document.');
}

const lately = { $gt: ['$$this', { $subtract: ['$$NOW', WRONG_KEY_WINDOW_MS] }] };

const addNow: Document[] = unlessForeign(
  [
    { $set: { at: { $filter: { input: { $ifNull: ['$at', []] }, cond: lately } } } },
    { $set: { isCounted: { $lt: [{ $size: '$at' }, MAX_WRONG_KEYS] } } },
    {
      $set: {
        at: { $cond: ['$isCounted', { $concatArrays: ['$at', ['$$NOW']] }, '$at'] },
        written: '$$NOW',
        expireAt: { $add: ['$$NOW', WRONG_KEY_WINDOW_MS] },
      },
    },
  ],
  'isCounted',
);
