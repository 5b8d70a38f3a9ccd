import type { ClientSession, Collection } from 'mongodb';
import type { JobDocument } from '../job/job.js';
import { type Ahead, type AheadJob, findMadeAhead } from './find-made-ahead.js';
import { findOccurrenceJob } from './find-occurrence-job.js';

/** The state of an item before its occurrences that are not due yet were made ahead. */
export interface Withdrawn {
  /** The jobs from the first on. Each was withdrawn, or left because a person had begun or cancelled it. */
  readonly made: readonly { readonly at: Date; readonly isWithdrawn: boolean }[];
  /** The first withdrawn occurrence. */
  readonly first: Date;
  /** The occurrence before the first, if there was one. */
  readonly previous: Date | null;
  /** The job of the previous occurrence, unless it was removed. */
  readonly previousJobId: string | undefined;
}

/**
 * Removes the jobs of an item's occurrences that were made ahead and are not due yet. Returns undefined if there are none.
 * Runs only within the transaction that moves the item back, so that no occurrence is left without its job.
 *
 * A person's decision about a job stands. A job that was begun before its time, or cancelled, stays. It is not made again
 * when the item reaches its occurrence once more.
 */
export async function withdrawJobs(
  jobs: Collection<JobDocument>,
  ahead: Ahead,
  session: ClientSession,
): Promise<Withdrawn | undefined> {
  const made = await findMadeAhead(jobs, ahead, { session });
  const waiting = made.filter((job) => isWaiting(job, ahead.now));
  const [first] = waiting;
  if (first === undefined) return undefined;
  await jobs.deleteMany({ _id: { $in: waiting.map(({ _id }) => _id) } }, { session });
  const { at, previous } = first.occurrence;
  return {
    made: made.slice(made.indexOf(first)).map((job) => {
      return { at: job.occurrence.at, isWithdrawn: waiting.includes(job) };
    }),
    first: at,
    previous,
    previousJobId: await findOccurrenceJob(jobs, ahead.itemId, previous ?? at, session),
  };
}

function isWaiting({ status, picked, runAt }: AheadJob, now: Date): boolean {
  return status === 'queued' && picked === undefined && runAt > now;
}
