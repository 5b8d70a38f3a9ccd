import type { ClientSession, Collection } from 'mongodb';
import type { JobDocument } from '../job/job.js';
import { type Ahead, type AheadJob, findMadeAhead } from './find-made-ahead.js';
import { findOccurrenceJob } from './find-occurrence-job.js';

/** What an item was like before its occurrences that are not due yet were made ahead. */
export interface Withdrawn {
  /** The jobs there were, from the first on: withdrawn, or left since a person had begun or cancelled them. */
  readonly made: readonly { readonly at: Date; readonly isWithdrawn: boolean }[];
  /** The first of them. */
  readonly first: Date;
  /** The one before, if there was one. */
  readonly previous: Date | null;
  /** The job of that, unless it was removed. */
  readonly previousJobId: string | undefined;
}

/**
 * Removes the jobs of an item's occurrences that were made ahead and are not due yet. Undefined when there are none.
 * Only within the transaction that moves the item back: then no occurrence is left without its job.
 *
 * What a person did to a job stands: one that was begun before its time, or cancelled, stays, and is not made again
 * when the item comes to its occurrence once more.
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
