import type { Collection } from 'mongodb';
import { ForeignDocumentsError } from '../errors.js';
import { anyMoment } from '../mongo/any-moment.js';
import { byId } from '../mongo/by-index.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import type { QueueDocument } from './queue-document.js';

/**
 * Pauses a queue, and tells since when it is paused; one that is paused already stays so since when it was.
 *
 * @throws ForeignDocumentsError when a document of somebody else has its name
 */
export async function pauseQueue(queues: Collection<QueueDocument>, name: string): Promise<Date> {
  const pause = [{ $set: { paused: { $ifNull: ['$paused', '$$NOW'] } } }];
  const options = { upsert: true, returnDocument: 'after', ...byId } as const;
  for (;;) {
    try {
      // A document of somebody else does not match, and its id is taken for what would be inserted.
      const queue = await queues.findOneAndUpdate({ _id: name, paused: anyMoment }, pause, options);
      if (queue) return queue.paused;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const holder = await queues.findOne({ _id: name }, byId);
      if (holder && !(holder.paused instanceof Date))
        throw new ForeignDocumentsError([{ collection: queues.collectionName, id: name }]);
      // Else somebody else paused it at the same moment: the next try finds that.
    }
  }
}
