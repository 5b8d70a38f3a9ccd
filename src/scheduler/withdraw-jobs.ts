import type { ClientSession, Collection } from 'mongodb';
import type { JobDocument } from '../job/job.js';
import { type Ahead, type AheadJob, findMadeAhead } from './find-made-ahead.js';
import { findOccurrenceJob } from './find-occurrence-job.js';

/** The withdrawn jobs, and the state that the item had before. */
export interface Withdrawn {
  /** The jobs from the first withdrawn one on. Some of them may have stayed, because a person had begun or cancelled them. */
  readonly made: readonly { readonly at: Date; readonly isWithdrawn: boolean }[];
  /** The first occurrence whose job was withdrawn. */
  readonly first: Date;
  /** The occurrence before the first, if there was one. */
  readonly previous: Date | null;
  /** The job of the previous occurrence, unless it was removed. */
  readonly previousJobId: string | undefined;
}

/**
 * Removes the jobs of an item's occurrences that were made ahead and are not due yet. Returns undefined if there are none. Use
 * this only in the transaction that moves the item back, so that no occurrence is left without its job.
 *
 * A person's decision about a job stands. A job that a person began or cancelled early is kept. It is not made again when the
 * item reaches its occurrence once more.
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
