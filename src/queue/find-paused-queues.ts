import type { Collection } from 'mongodb';
import { isPaused, type QueueDocument } from './queue-document.js';

/** The queues that are paused, by name: those after `after`, at most `limit`; all unless told. */
export async function findPausedQueues(
  queues: Collection<QueueDocument>,
  { after = '', limit = 0 }: { readonly after?: string; readonly limit?: number } = {},
): Promise<QueueDocument[]> {
  return queues.find({ _id: { $gt: after }, ...isPaused }, { sort: { _id: 1 }, limit }).toArray();
}
