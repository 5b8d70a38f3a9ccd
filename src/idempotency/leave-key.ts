import type { Collection } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import type { IdempotencyKeyDocument } from './key-document.js';

/** Releases a request that failed partway, so that the next repetition continues it. */
export async function leaveKey(
  keys: Collection<IdempotencyKeyDocument>,
  { _id, holder }: Pick<IdempotencyKeyDocument, '_id' | 'holder'>,
): Promise<void> {
  await keys.updateOne({ _id, holder }, [{ $set: { heldUntil: '$$NOW' } }], byId);
}
