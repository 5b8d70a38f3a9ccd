import type { Collection } from 'mongodb';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import type { QueueDocument } from './queue-document.js';

/** Pauses a queue, and tells since when it is paused; one that is paused already stays so since when it was. */
export async function pauseQueue(queues: Collection<QueueDocument>, name: string): Promise<Date> {
  const pause = [{ $set: { paused: { $ifNull: ['$paused', '$$NOW'] } } }];
  const options = { upsert: true, returnDocument: 'after' } as const;
  for (;;) {
    try {
      const queue = await queues.findOneAndUpdate({ _id: name }, pause, options);
      if (queue) return queue.paused;
    } catch (error) {
      // Somebody else paused it at the same moment: the next try finds that.
      if (!isDuplicateKey(error)) throw error;
    }
  }
}
