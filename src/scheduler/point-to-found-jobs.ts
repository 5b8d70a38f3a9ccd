import type { ClientSession } from 'mongodb';
import { findOccurrenceJob } from './find-occurrence-job.js';
import type { PlannedItem } from './plan-items.js';
import type { SchedulerCollections } from './scheduler-collection.js';

/**
 * Sets `lastJobId` of items whose last occurrence already had its job. Such a job was made ahead, and a person began or
 * cancelled it. So it stayed when the item was moved back. Usually there is none, and this costs nothing.
 *
 * @param jobIds the jobs that were made now
 */
export async function pointToFoundJobs(
  { jobs, scheduler }: Pick<SchedulerCollections, 'jobs' | 'scheduler'>,
  planned: readonly PlannedItem[],
  jobIds: readonly string[],
  session: ClientSession,
): Promise<void> {
  const made = new Set(jobIds);
  const lastOnes = planned.flatMap((item) => item.jobs.at(-1) ?? []);
  for (const { id, occurrence } of lastOnes) {
    if (made.has(id)) continue;
    const lastJobId = await findOccurrenceJob(jobs, occurrence.item, occurrence.at, session);
    if (lastJobId !== undefined)
      await scheduler.updateOne({ _id: occurrence.item }, { $set: { lastJobId } }, { session });
  }
}
