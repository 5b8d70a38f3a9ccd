import type { Collection } from 'mongodb';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import type { QueueDocument } from './queue-document.js';

/** Pauses a queue; one that is paused already stays so since when it was. */
export async function pauseQueue(queues: Collection<QueueDocument>, name: string): Promise<void> {
  const pause = [{ $set: { paused: { $ifNull: ['$paused', '$$NOW'] } } }];
  try {
    await queues.updateOne({ _id: name }, pause, { upsert: true });
  } catch (error) {
    // Somebody else paused it at the same moment.
    if (!isDuplicateKey(error)) throw error;
  }
}
