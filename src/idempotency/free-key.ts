import type { Collection } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import type { IdempotencyKeyDocument } from './key-document.js';

/** Deletes the key of a request that changed nothing, so that the key can be used for another request. */
export async function freeKey(
  keys: Collection<IdempotencyKeyDocument>,
  { _id, holder }: Pick<IdempotencyKeyDocument, '_id' | 'holder'>,
): Promise<void> {
  await keys.deleteOne({ _id, holder }, byId);
}
