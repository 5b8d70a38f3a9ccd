import type { Collection } from 'mongodb';
import { isPaused, type QueueDocument } from './queue-document.js';

/** Returns the paused queues after the name `after`, by name, at most `limit`. Default: all. */
export async function findPausedQueues(
  queues: Collection<QueueDocument>,
  { after = '', limit = 0 }: { readonly after?: string; readonly limit?: number } = {},
): Promise<QueueDocument[]> {
  return queues.find({ _id: { $gt: after }, ...isPaused }, { sort: { _id: 1 }, limit }).toArray();
}
