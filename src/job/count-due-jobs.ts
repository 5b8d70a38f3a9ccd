import type { Collection } from 'mongodb';
import { byIndex } from '../mongo/by-index.js';
import type { JobDocument } from './job.js';
import { type ClaimFilter, claimIndex, isDue, queuedJobs, takesNothing, waitsAlone } from './queued-jobs.js';

/** Counts the due jobs that a worker with this filter takes, those that are to run alone included: at most `limit`. */
export async function countDueJobs(
  jobs: Collection<JobDocument>,
  filter: ClaimFilter,
  limit: number,
): Promise<number> {
  if (takesNothing(filter)) return 0;
  const firstOf = (conditions: ReturnType<typeof queuedJobs>) => [
    { $match: conditions },
    { $limit: limit },
    { $project: { _id: 1 } },
  ];
  const alone = firstOf(queuedJobs(filter, isDue, waitsAlone));
  const stages = [
    ...firstOf(queuedJobs(filter, isDue)),
    { $unionWith: { coll: jobs.collectionName, pipeline: alone } },
    { $limit: limit },
    { $count: 'count' },
  ];
  const [counted] = await byIndex(jobs, claimIndex(filter.queues), (hint) =>
    jobs.aggregate<{ readonly count: number }>(stages, hint).toArray(),
  );
  return counted?.count ?? 0;
}
