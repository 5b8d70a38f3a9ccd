import type { ClaimedJob } from '../job/job.js';

/** Returns since when a job was both due and queued, by the database's clock. */
export function dueSince({ queued, runAt }: ClaimedJob): Date {
  return queued > runAt ? queued : runAt;
}
