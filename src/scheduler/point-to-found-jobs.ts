import type { ClientSession } from 'mongodb';
import type { Collections } from '../mongo/collections.js';
import { findOccurrenceJob } from './find-occurrence-job.js';
import type { PlannedItem } from './plan-items.js';

/**
 * Sets the last job of items whose last occurrence had its job already: one that was made ahead, and begun or cancelled
 * by a person before its time, stays when the item goes back. Nearly always there are none, and this costs nothing.
 *
 * @param jobIds of those that were made now
 */
export async function pointToFoundJobs(
  { jobs, scheduler }: Pick<Collections, 'jobs' | 'scheduler'>,
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
