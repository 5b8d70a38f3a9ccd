import { randomUUID } from 'node:crypto';
import type { Collection, Document } from 'mongodb';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import {
  MAX_FAILED_SIGN_INS,
  SIGN_IN_WINDOW_MS,
  type SignInAttempt,
  type SignInDocument,
} from './sign-in-document.js';

/** `admitted` may go on: the attempt counts as failed until `forgiveSignIn` takes it back. */
export type BegunSignIn =
  | { readonly kind: 'admitted'; readonly attempt: string }
  | { readonly kind: 'limited'; readonly retryAfterMs: number };

/**
 * Counts an attempt to sign in before its key is looked at, so that many at the same moment cannot slip through. Past
 * the limit nothing is counted: an address is let in again when its oldest failure is old enough.
 *
 * @param address whose attempts are counted together
 */
export async function beginSignIn(
  signIns: Collection<SignInDocument>,
  address: string,
): Promise<BegunSignIn> {
  const attempt = randomUUID();
  const { failures, written } = await write(signIns, address, attempt);
  if (failures.some(({ id }) => id === attempt)) return { kind: 'admitted', attempt };
  const oldest = failures[0]?.at ?? written;
  return { kind: 'limited', retryAfterMs: oldest.getTime() + SIGN_IN_WINDOW_MS - written.getTime() };
}

/** Two first attempts of an address can both find nothing to update: one then meets what the other inserted. */
async function write(
  signIns: Collection<SignInDocument>,
  address: string,
  attempt: string,
): Promise<SignInDocument> {
  try {
    return await writeOnce(signIns, address, attempt);
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return writeOnce(signIns, address, attempt);
  }
}

async function writeOnce(
  signIns: Collection<SignInDocument>,
  address: string,
  attempt: string,
): Promise<SignInDocument> {
  const document = await signIns.findOneAndUpdate({ _id: address }, countAttempt(attempt), {
    upsert: true,
    returnDocument: 'after',
  });
  if (document) return document;
  throw new Error('An upsert gave no document.');
}

function countAttempt(id: string): Document[] {
  const lately = { $gt: ['$$this.at', { $subtract: ['$$NOW', SIGN_IN_WINDOW_MS] }] };
  const attempt: { [Key in keyof SignInAttempt]: unknown } = { id: { $literal: id }, at: '$$NOW' };
  return [
    { $set: { failures: { $filter: { input: { $ifNull: ['$failures', []] }, cond: lately } } } },
    {
      $set: {
        failures: {
          $cond: [
            { $lt: [{ $size: '$failures' }, MAX_FAILED_SIGN_INS] },
            { $concatArrays: ['$failures', [attempt]] },
            '$failures',
          ],
        },
        written: '$$NOW',
        expireAt: { $add: ['$$NOW', SIGN_IN_WINDOW_MS] },
      },
    },
  ];
}
