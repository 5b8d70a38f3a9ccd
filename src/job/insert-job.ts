import type { ClientSession, Collection, Document } from 'mongodb';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import type { JobLimit } from './flow-rules.js';
import type { Membership } from './group.js';
import type { JobDocument, Occurrence } from './job.js';
import type { ResolvedRetention } from './job-options.js';
import type { Metadata } from './metadata.js';
import type { ResolvedRetryDelay } from './retry-delay.js';
import type { Sharing } from './unique-rules.js';

/** A job as its producer defines it, resolved and validated. The other fields of its document follow from it. */
export interface NewJob extends Membership {
  readonly id: string;
  readonly jobName: string;
  readonly input: unknown;
  readonly queue: string;
  readonly priority: number;
  readonly maxRetries: number;
  readonly retryDelay: ResolvedRetryDelay | null;
  readonly retention?: ResolvedRetention | undefined;
  /** A moment, or a delay in milliseconds by the database's clock. */
  readonly runAt: Date | number;
  readonly uniqueKey?: string | undefined;
  readonly sharing?: Sharing | undefined;
  readonly occurrence?: Occurrence;
  readonly metadata?: Metadata | undefined;
  /** See `searchKeysOf`. */
  readonly keys?: readonly string[] | undefined;
  /** The job's limits, if it may have to wait in line for one of them from the start. */
  readonly limits?: readonly JobLimit[];
  /** The limit in whose line it waits. Absent if it waits for none. */
  readonly blockedBy?: string;
}

/** Puts new jobs in line that must not overtake others. Returns all jobs in the same order. */
export type PutInLine = (
  jobs: readonly NewJob[],
  session: ClientSession | undefined,
) => Promise<readonly NewJob[]>;

/**
 * Result of an insert. With `idExists`, a document has the id. With `uniqueKeyTaken`, an unsettled job of this name has
 * the key. Nothing was written in either case.
 */
export type InsertResult = 'inserted' | 'idExists' | 'uniqueKeyTaken';

/**
 * Writes a job unless its id exists. Uses an upsert with a pipeline: `$$NOW` makes the database's clock the only one, and
 * writing the same id twice is harmless.
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
 * Returns the update pipeline of an upsert that inserts the job. Leaves an existing document as it is, even a foreign
 * one without a status. A document is new if it has only its id, or only its id and occurrence.
 */
export function insertUnlessFound(job: NewJob): Document[] {
  const isNew = { $or: [{ $eq: ['$$ROOT', { _id: '$_id' }] }, isBegunByOccurrence] };
  return [{ $replaceWith: { $cond: [isNew, newDocument(job), '$$ROOT'] } }];
}

const isBegunByOccurrence = {
  $and: [{ $eq: [{ $type: '$status' }, 'missing'] }, { $ne: [{ $type: '$occurrence' }, 'missing'] }],
};

/** Returns the document of a new job, inserted at `now` by the database's clock. */
export function documentAt(job: NewJob, now: Date): JobDocument {
  const { runAt, sharing } = job;
  const later = (ms: number) => new Date(now.getTime() + ms);
  const times = {
    runAt: runAt instanceof Date ? runAt : later(runAt),
    created: now,
    queued: now,
    ...(sharing?.periodMs !== undefined && { uniqueUntil: later(sharing.periodMs) }),
  };
  return Object.assign(untimed(job), times);
}

/** Returns an expression for the document of a new job. */
export function newDocument(job: NewJob): Document {
  const { runAt, sharing } = job;
  const times = {
    runAt: runAt instanceof Date ? runAt : { $add: ['$$NOW', runAt] },
    created: '$$NOW',
    queued: '$$NOW',
    ...(sharing?.periodMs !== undefined && { uniqueUntil: { $add: ['$$NOW', sharing.periodMs] } }),
  };
  return { $mergeObjects: [{ $literal: untimed(job) }, times] };
}

/** The fields of a job that belongs to a group or waits for one. While it waits, it is not claimable. */
function membershipOf({ group, parents, after, waitsFor, inputFrom, groupLimit }: NewJob): Partial<Untimed> {
  return {
    ...(group !== undefined && { group }),
    ...(parents && { parents }),
    ...(after && { after }),
    ...(waitsFor && { waitsFor, claimable: false }),
    ...(inputFrom && { inputFrom }),
    ...(groupLimit !== undefined && { groupLimit }),
  };
}

type Untimed = Omit<JobDocument, 'runAt' | 'created' | 'queued'>;

/**
 * Returns the fields that do not depend on time. They are set one by one, because spreading so many fields, or taking
 * the rest of an object, takes several times as long.
 */
function untimed(job: NewJob): Untimed {
  const { input, uniqueKey, sharing, occurrence, retention, metadata, keys } = job;
  const document: { -readonly [Field in keyof Untimed]: Untimed[Field] } = {
    _id: job.id,
    jobName: job.jobName,
    queue: job.queue,
    priority: job.priority,
    maxRetries: job.maxRetries,
    retryDelay: job.retryDelay,
    status: 'queued',
    claimable: true,
    retryCounter: 0,
    givenBackCounter: 0,
    errors: [],
  };
  if (input !== undefined) document.input = input;
  if (uniqueKey !== undefined) document.uniqueKey = uniqueKey;
  if (sharing?.untilClaimed) document.uniqueUntil = 'claimed';
  if (sharing?.isExclusive && uniqueKey !== undefined) document.exclusiveKey = uniqueKey;
  if (occurrence) document.occurrence = occurrence;
  if (retention) document.retention = retention;
  if (metadata) document.metadata = metadata;
  if (keys) document.keys = keys;
  if (job.blockedBy !== undefined) {
    document.claimable = false;
    document.blockedBy = job.blockedBy;
    document.limits = job.limits ?? [];
  }
  if (job.group !== undefined || job.after) Object.assign(document, membershipOf(job));
  return document;
}
