import type { Collection } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { isPaused, type QueueDocument } from './queue-document.js';

/** Ends the pause of a queue. Returns whether it was paused. */
export async function resumeQueue(queues: Collection<QueueDocument>, name: string): Promise<boolean> {
  const { deletedCount } = await queues.deleteOne({ _id: name, ...isPaused }, byId);
  return deletedCount > 0;
}
