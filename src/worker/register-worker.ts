import type { Collection } from 'mongodb';
import type { WorkerDocument } from './worker-document.js';

/** Description of an invocation in its document. */
export type WorkerInfo = Pick<WorkerDocument, '_id' | 'processor' | 'maxThreads' | 'queues'>;

/** Records that an invocation is under way, by the database's clock. */
export async function registerWorker(
  workers: Collection<WorkerDocument>,
  { _id, ...info }: WorkerInfo,
  leaseMs: number,
): Promise<void> {
  const update = [
    {
      $set: {
        ...Object.fromEntries(Object.entries(info).map(([name, value]) => [name, { $literal: value }])),
        started: { $ifNull: ['$started', '$$NOW'] },
        expires: { $add: ['$$NOW', leaseMs] },
      },
    },
  ];
  await workers.updateOne({ _id }, update, { upsert: true });
}

/** Records that an invocation has ended. */
export async function unregisterWorker(workers: Collection<WorkerDocument>, id: string): Promise<void> {
  await workers.deleteOne({ _id: id });
}
