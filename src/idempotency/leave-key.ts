import type { Collection } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import type { IdempotencyKeyDocument } from './key-document.js';

/** Lets the next who sends the request go on with it: it failed, and nobody knows how far it came. */
export async function leaveKey(
  keys: Collection<IdempotencyKeyDocument>,
  { _id, holder }: Pick<IdempotencyKeyDocument, '_id' | 'holder'>,
): Promise<void> {
  await keys.updateOne({ _id, holder }, [{ $set: { heldUntil: '$$NOW' } }], byId);
}
