import type { Document } from 'mongodb';
import { countCapped } from '../job/count-jobs.js';
import type { JobDocument } from '../job/job.js';
import { priorities } from '../job/queued-jobs.js';
import { byIndex } from '../mongo/by-index.js';
import type { Collections } from '../mongo/collections.js';
import { claimByQueue } from '../mongo/indexes.js';
import { findPausedQueues } from './find-paused-queues.js';
import { findWaitingQueues } from './find-waiting-queues.js';
import type { Queue } from './queue-document.js';

/**
 * All queues that have queued jobs or are paused, by name. Four commands for each: one finds it, two count what waits in
 * it, at most 10,000 jobs each, and one finds the job that waits longest.
 */
export async function findQueues({ jobs, queues }: Pick<Collections, 'jobs' | 'queues'>): Promise<Queue[]> {
  const [waiting, paused] = await Promise.all([findWaitingQueues(jobs), findPausedQueues(queues)]);
  const pausedSince = new Map(paused.map((document) => [document._id, document.paused]));
  const names = [...new Set([...waiting, ...pausedSince.keys()])].sort();
  const found: Queue[] = [];
  for (const name of names)
    found.push({ name, ...(await whatWaits(jobs, name)), paused: pausedSince.get(name) ?? null });
  return found;
}

async function whatWaits(
  jobs: Collections['jobs'],
  queue: string,
): Promise<Pick<Queue, 'ready' | 'delayed' | 'oldest'>> {
  const queuedThat = ($expr: Document) => ({
    status: 'queued' as const,
    queue,
    priority: { $in: [...priorities] },
    $expr,
  });
  const ready = queuedThat({ $lte: ['$runAt', '$$NOW'] });
  const delayed = queuedThat({ $gt: ['$runAt', '$$NOW'] });
  const projection = { _id: 0, runAt: 1 };
  const [readyCount, delayedCount, oldest] = await Promise.all([
    countCapped(jobs, claimByQueue, ready),
    countCapped(jobs, claimByQueue, delayed),
    byIndex(jobs, claimByQueue, (hint) =>
      jobs.findOne<Pick<JobDocument, 'runAt'>>(ready, { sort: { runAt: 1 }, projection, ...hint }),
    ),
  ]);
  return { ready: readyCount, delayed: delayedCount, oldest: oldest?.runAt ?? null };
}
