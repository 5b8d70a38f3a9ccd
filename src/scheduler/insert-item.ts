import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { findOccurrenceJob } from './find-occurrence-job.js';
import { inItemTransaction } from './in-item-transaction.js';
import type { SchedulerItemDocument } from './item.js';
import type { SchedulerCollections } from './scheduler-collection.js';

export type Inserted =
  | { readonly kind: 'inserted' }
  | { readonly kind: 'idTaken' }
  /** The new item cannot make the job of its first occurrence, since a former item of this id made it. */
  | { readonly kind: 'hadItsJob'; readonly jobId: string };

/**
 * Writes a new scheduler item in one transaction. The transaction sees all jobs that a former item of this id made.
 *
 * @param first the item's first occurrence, even if the item is inactive. Null if there is none
 * @throws errors as in `inItemTransaction`
 */
export async function insertItem(
  { client, jobs, scheduler }: SchedulerCollections,
  item: SchedulerItemDocument,
  first: Date | null,
): Promise<Inserted> {
  return inItemTransaction(client, item._id, async (session): Promise<Inserted> => {
    const jobId = first && (await findOccurrenceJob(jobs, item._id, first, session));
    if (jobId) {
      await session.abortTransaction();
      return { kind: 'hadItsJob', jobId };
    }
    try {
      await scheduler.insertOne(item, { session, ignoreUndefined: true });
      return { kind: 'inserted' };
    } catch (error) {
      if (!isIdTaken(error)) throw error;
      await session.abortTransaction();
      return { kind: 'idTaken' };
    }
  });
}

/** Returns whether the duplicate key is the id. It may also be of another unique index that an application added. */
function isIdTaken(error: unknown): boolean {
  return isDuplicateKey(error) && (error.keyPattern === undefined || '_id' in error.keyPattern);
}
