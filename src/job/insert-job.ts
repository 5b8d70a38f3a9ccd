import type { ClientSession, Collection, Document } from 'mongodb';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import type { JobDocument, Occurrence } from './job.js';
import type { ResolvedRetention } from './job-options.js';
import type { Metadata } from './metadata.js';
import type { ResolvedRetryDelay } from './retry-delay.js';

/** A job as its producer decides it, resolved and validated. All else follows from it. */
export interface NewJob {
  readonly id: string;
  readonly jobName: string;
  readonly input: unknown;
  readonly queue: string;
  readonly priority: number;
  readonly maxRetries: number;
  readonly retryDelay: ResolvedRetryDelay | null;
  readonly retention?: ResolvedRetention | undefined;
  /** A moment, or milliseconds from the database's now. */
  readonly runAt: Date | number;
  readonly uniqueKey?: string;
  readonly occurrence?: Occurrence;
  readonly metadata?: Metadata;
}

/** `uniqueKeyTaken`: nothing was written; an unsettled job of this name has the key. */
export type InsertResult = 'inserted' | 'idExists' | 'uniqueKeyTaken';

/**
 * Writes a job unless its id exists. An upsert with a pipeline, for two reasons: `$$NOW` makes the database's
 * clock the only one, and writing the same id twice is harmless.
 */
export async function insertJob(
  jobs: Collection<JobDocument>,
  job: NewJob,
  session?: ClientSession,
): Promise<InsertResult> {
  try {
    const { upsertedCount } = await jobs.updateOne({ _id: job.id }, insertUnlessFound(job), {
      upsert: true,
      ...(session && { session }),
    });
    return upsertedCount === 1 ? 'inserted' : 'idExists';
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return error.keyPattern?.uniqueKey === undefined ? 'idExists' : 'uniqueKeyTaken';
  }
}

/**
 * The update pipeline of an upsert that inserts the job, and leaves a document that it finds as it is: also one of somebody
 * else, that has no status. A new one has nothing but its id, or nothing but its occurrence.
 */
export function insertUnlessFound(job: NewJob): Document[] {
  const isNew = { $or: [{ $eq: ['$$ROOT', { _id: '$_id' }] }, isBegunByOccurrence] };
  return [{ $replaceWith: { $cond: [isNew, newDocument(job), '$$ROOT'] } }];
}

const isBegunByOccurrence = {
  $and: [{ $eq: [{ $type: '$status' }, 'missing'] }, { $ne: [{ $type: '$occurrence' }, 'missing'] }],
};

/** The document of a new job, for an insert at this moment of the database's. */
export function documentAt(job: NewJob, now: Date): JobDocument {
  const { runAt } = job;
  const due = runAt instanceof Date ? runAt : new Date(now.getTime() + runAt);
  return { ...untimed(job), runAt: due, created: now, queued: now };
}

function newDocument(job: NewJob): Document {
  const { runAt } = job;
  const times = {
    runAt: runAt instanceof Date ? runAt : { $add: ['$$NOW', runAt] },
    created: '$$NOW',
    queued: '$$NOW',
  };
  return { $mergeObjects: [{ $literal: untimed(job) }, times] };
}

/** What does not depend on when it is written. Each field is named: taking the rest of an object is slow. */
function untimed(job: NewJob) {
  const { input, uniqueKey, occurrence, retention, metadata } = job;
  return {
    _id: job.id,
    jobName: job.jobName,
    queue: job.queue,
    priority: job.priority,
    maxRetries: job.maxRetries,
    retryDelay: job.retryDelay,
    status: 'queued' as const,
    claimable: true as const,
    retryCounter: 0,
    givenBackCounter: 0,
    errors: [],
    ...(input !== undefined && { input }),
    ...(uniqueKey !== undefined && { uniqueKey }),
    ...(occurrence && { occurrence }),
    ...(retention && { retention }),
    ...(metadata && { metadata }),
  };
}
