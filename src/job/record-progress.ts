import type { Collection } from 'mongodb';
import type { JobDocument } from './job.js';
import type { HeldLease } from './renew-leases.js';

/** Stores what a running job reports. Returns false when the lease is somebody else's: nothing was changed. */
export async function recordProgress(
  jobs: Collection<JobDocument>,
  { id, token }: HeldLease,
  progress: unknown,
): Promise<boolean> {
  const { matchedCount } = await jobs.updateOne({ _id: id, status: 'processing', 'lease.token': token }, [
    { $set: { progress: { $literal: progress } } },
  ]);
  return matchedCount === 1;
}
