import type { Collection } from 'mongodb';
import type { QueueDocument } from './queue-document.js';

/** The queues that are paused, by name: there are as many as people paused. */
export async function findPausedQueues(queues: Collection<QueueDocument>): Promise<QueueDocument[]> {
  return queues.find({}, { sort: { _id: 1 } }).toArray();
}
