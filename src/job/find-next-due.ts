import type { Collection, Document, Filter } from 'mongodb';
import { byIndex, type Index } from '../mongo/by-index.js';
import type { JobDocument } from './job.js';
import { type ClaimFilter, claimIndex, priorities, queuedJobs, takesNothing } from './queued-jobs.js';

/**
 * How long until the next job is due that a claim with this filter would take, in milliseconds by the database's
 * clock; undefined when none is due within `withinMs`. Jobs that are due already do not count.
 *
 * One command, that reads one key of a claim index for each priority, and for each queue if the filter names some; with
 * more than 20 queues it reads the keys of others' jobs as well.
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

/** More are looked at by nobody: where so many come due, workers are under way. */
const MAX_FOUND = 1000;

/**
 * How long until the jobs are due that a claim with this filter would take within `withinMs`, and that were queued longer
 * before than `queuedMs`: of the first 1000, in milliseconds by the database's clock, the soonest first.
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
