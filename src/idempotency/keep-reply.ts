import type { Collection } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import type { IdempotencyKeyDocument } from './key-document.js';

/** Stores the reply to a request for repetitions. Does nothing if another call holds the key by now. */
export async function keepReply(
  keys: Collection<IdempotencyKeyDocument>,
  { _id, holder }: Pick<IdempotencyKeyDocument, '_id' | 'holder'>,
  reply: string,
): Promise<void> {
  await keys.updateOne({ _id, holder }, { $set: { reply } }, byId);
}
