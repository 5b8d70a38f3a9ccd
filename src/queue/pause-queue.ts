import type { Collection } from 'mongodb';
import { ForeignDocumentsError } from '../errors.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import type { QueueDocument } from './queue-document.js';

/**
 * Pauses a queue, and tells since when it is paused; one that is paused already stays so since when it was.
 *
 * @throws ForeignDocumentsError when a document of somebody else has its name
 */
export async function pauseQueue(queues: Collection<QueueDocument>, name: string): Promise<Date> {
  const isNew = { $eq: ['$$ROOT', { _id: '$_id' }] };
  const pause = [{ $replaceWith: { $cond: [isNew, { _id: '$_id', paused: '$$NOW' }, '$$ROOT'] } }];
  const options = { upsert: true, returnDocument: 'after' } as const;
  for (;;) {
    try {
      const queue = await queues.findOneAndUpdate({ _id: name }, pause, options);
      if (queue?.paused instanceof Date) return queue.paused;
      if (queue) throw new ForeignDocumentsError([{ collection: queues.collectionName, id: name }]);
    } catch (error) {
      // Somebody else paused it at the same moment: the next try finds that.
      if (!isDuplicateKey(error)) throw error;
    }
  }
}
