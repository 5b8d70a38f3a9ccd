import type { Collection } from 'mongodb';
import { byIndex } from '../mongo/by-index.js';
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
  const isAhead = { $gt: ['$runAt', '$$NOW'] };
  const isWithin = { $lte: ['$runAt', { $add: ['$$NOW', withinMs] }] };
  const waiting = queuedJobs(filter, {
    priority: { $in: [...priorities] },
    $expr: { $and: [isAhead, isWithin] },
  });
  const next = await byIndex(jobs, claimIndex(filter.queues, priorities.length), (hint) =>
    jobs.findOne<{ readonly dueInMs: number }>(waiting, {
      sort: { runAt: 1 },
      projection: { _id: 0, dueInMs: { $subtract: ['$runAt', '$$NOW'] } },
      ...hint,
    }),
  );
  return next?.dueInMs;
}
