import type { Collection } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import type { IdempotencyKeyDocument } from './key-document.js';

/** Forgets a request that changed nothing: its key may be used for another one. */
export async function freeKey(
  keys: Collection<IdempotencyKeyDocument>,
  { _id, holder }: Pick<IdempotencyKeyDocument, '_id' | 'holder'>,
): Promise<void> {
  await keys.deleteOne({ _id, holder }, byId);
}
