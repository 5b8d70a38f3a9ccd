import type { Collection } from 'mongodb';
import { ForeignDocumentsError } from '../errors.js';
import { anyMoment } from '../mongo/any-moment.js';
import { byId } from '../mongo/by-index.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import type { QueueDocument } from './queue-document.js';

/**
 * Pauses a queue, and returns since when it is paused. A queue that is already paused keeps its moment.
 *
 * @throws ForeignDocumentsError if a foreign document has the queue's name as its id
 */
export async function pauseQueue(queues: Collection<QueueDocument>, name: string): Promise<Date> {
  const pause = [{ $set: { paused: { $ifNull: ['$paused', '$$NOW'] } } }];
  const options = { upsert: true, returnDocument: 'after', ...byId } as const;
  for (;;) {
    try {
      // A foreign document does not match, and the insert then fails on its id.
      const queue = await queues.findOneAndUpdate({ _id: name, paused: anyMoment }, pause, options);
      if (queue) return queue.paused;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const holder = await queues.findOne({ _id: name }, byId);
      if (holder && !(holder.paused instanceof Date))
        throw new ForeignDocumentsError([{ collection: queues.collectionName, id: name }]);
      // Otherwise somebody paused the queue at the same moment, and the next try finds their document.
    }
  }
}
