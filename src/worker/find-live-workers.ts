import type { Collection, Filter } from 'mongodb';
import type { LiveWorker, WorkerDocument } from './worker-document.js';

/** The invocations under way, those that began first come first. */
export async function findLiveWorkers(workers: Collection<WorkerDocument>): Promise<LiveWorker[]> {
  const documents = await workers.find(isLive, { sort: { started: 1 } }).toArray();
  return documents.map(({ _id: id, ...rest }) => ({ id, ...rest }));
}

/** How many invocations are under way. */
export async function countLiveWorkers(workers: Collection<WorkerDocument>): Promise<number> {
  return workers.countDocuments(isLive);
}

const isLive: Filter<WorkerDocument> = { $expr: { $gt: ['$expires', '$$NOW'] } };
