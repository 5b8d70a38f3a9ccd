import type { Collection, Document, Filter } from 'mongodb';
import { byIndex, type Index } from '../mongo/by-index.js';
import type { JobDocument } from './job.js';
import { type ClaimFilter, claimIndex, priorities, queuedJobs, takesNothing } from './queued-jobs.js';

/**
 * Returns how long until the next job that matches the filter becomes due, in milliseconds by the database's clock.
 * Returns undefined if none becomes due within `withinMs`. Jobs that are already due do not count.
 *
 * Costs one command, which reads one key of a claim index per priority and queue of the filter. With more than 20
 * queues it also reads keys of other queues.
 */
export async function findNextDue(
  jobs: Collection<JobDocument>,
  filter: ClaimFilter,
  withinMs: number,
): Promise<number | undefined> {
  if (takesNothing(filter)) return undefined;
  const waiting = waitingFor(filter, withinMs);
  const next = await byIndex(jobs, indexOf(filter), (hint) =>
    jobs.findOne<Waiting>(waiting, { sort: { runAt: 1 }, projection, ...hint }),
  );
  return next?.dueInMs;
}

/** Maximum number of jobs. Where more jobs become due, workers are already running. */
const MAX_FOUND = 1000;

/**
 * Returns how long until each matching job becomes due, in milliseconds by the database's clock. Soonest first, at most
 * 1000. Includes a job if it becomes due within `withinMs`, and was queued more than `queuedMs` before that moment.
 */
export async function findDueSoon(
  jobs: Collection<JobDocument>,
  filter: ClaimFilter,
  withinMs: number,
  queuedMs: number,
): Promise<number[]> {
  if (takesNothing(filter)) return [];
  const wasQueuedBefore = { $gt: [{ $subtract: ['$runAt', '$queued'] }, queuedMs] };
  const waiting = waitingFor(filter, withinMs, wasQueuedBefore);
  const size = { limit: MAX_FOUND, batchSize: MAX_FOUND + 1 };
  const found = await byIndex(jobs, indexOf(filter), (hint) =>
    jobs.find<Waiting>(waiting, { sort: { runAt: 1 }, projection, ...size, ...hint }).toArray(),
  );
  return found.map(({ dueInMs }) => dueInMs);
}

interface Waiting {
  readonly dueInMs: number;
}

const projection = { _id: 0, dueInMs: { $subtract: ['$runAt', '$$NOW'] } } as const;

function waitingFor(filter: ClaimFilter, withinMs: number, ...conditions: Document[]): Filter<JobDocument> {
  const isAhead = { $gt: ['$runAt', '$$NOW'] };
  const isWithin = { $lte: ['$runAt', { $add: ['$$NOW', withinMs] }] };
  const $expr = { $and: [isAhead, isWithin, ...conditions] };
  return queuedJobs(filter, { priority: { $in: [...priorities] }, $expr });
}

function indexOf({ queues }: ClaimFilter): Index {
  return claimIndex(queues, priorities.length);
}
