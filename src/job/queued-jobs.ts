import type { Filter } from 'mongodb';
import type { Index } from '../mongo/by-index.js';
import { claimableByQueue, claimableJobs } from './indexes.js';
import type { JobDocument } from './job.js';

/** Which jobs a worker takes. */
export interface ClaimFilter {
  /** Only these: jobs that this worker does not know wait untouched for one that does. */
  readonly jobNames: readonly string[];
  /** Only these queues; all when absent. */
  readonly queues?: readonly string[];
  /** Any further condition, given in code. */
  readonly jobQuery?: Filter<JobDocument>;
}

/** Whether no job can meet this filter: then nothing needs to be asked. */
export function takesNothing({ jobNames, queues }: ClaimFilter): boolean {
  return jobNames.length === 0 || queues?.length === 0;
}

/** All there are. With each of them named, an index that has `priority` gives the order of `runAt` without a sort. */
export const priorities = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

export const highestPriority = Math.max(...priorities);

/** The order in which jobs are claimed; the claim indexes have it. */
export const claimOrder = { priority: -1, runAt: 1, _id: 1 } as const;

/**
 * MongoDB considers an index only for a condition on its first key, and `runAt` bounds a scan only behind conditions on
 * all keys before it. A range, since MongoDB would read points as a scan for each, and there are few of those: see below.
 */
export const anyPriority = { $gte: 0 } as const;

/** The queued jobs that wait for nothing except their time: those that a claim may see. */
export const isClaimable = { status: 'queued', claimable: true } as const;

/** Every job has a counter; a document of somebody else has none, and is not taken. */
export const isCounted = { retryCounter: { $gte: 0 } } as const;

/** The queued jobs that no claim sees: those of which the field is not there, as in the filter of their index. */
const isHeldBack = { status: 'queued', claimable: null, ...isCounted } as const;

/** Jobs that were lost in company: each is to run alone, which tells which of them kills its worker. */
export const waitsAlone = { ...isHeldBack, runAlone: true } as const;

/**
 * What a claim sees where its index is missing, and with it the step that marks the jobs of earlier versions: all that are
 * not to run alone, by the index that those versions had.
 */
export const isClaimableUnmarked = { status: 'queued', runAlone: null } as const;

/** All that no claim sees, by their index, whose first key has to be told. */
export const heldBack = { ...isHeldBack, runAlone: { $in: [true, null] } } as const;

/** Jobs that a process of an earlier version has queued: they are held back by nothing. */
export const isUnmarked = { ...isHeldBack, runAlone: null } as const;

/** Claimable jobs that a worker with this filter takes, and that meet these conditions as well. */
export function queuedJobs(
  { jobNames, queues, jobQuery }: ClaimFilter,
  conditions: Filter<JobDocument>,
  held: Filter<JobDocument> = isClaimable,
): Filter<JobDocument> {
  const queued: Filter<JobDocument> = {
    ...held,
    jobName: { $in: [...jobNames] },
    ...(queues && { queue: { $in: [...queues] } }),
    priority: anyPriority,
    ...conditions,
  };
  return jobQuery ? { $and: [queued, jobQuery] } : queued;
}

/** Those that are due by the database's clock. */
export const isDue: Filter<JobDocument> = { $expr: { $lte: ['$runAt', '$$NOW'] } };

/** MongoDB merges at most so many scans of an index in order; of more it would read all, and sort them. */
const MAX_MERGED_SCANS = 200;

/**
 * The index that serves queries of queued jobs. That of queues reads one stretch for each queue, and merges them in order.
 * For more of them than MongoDB merges it is the other, which passes over the jobs of other queues by a key for each.
 *
 * @param scansPerQueue for how many values of `priority`, when they are named
 */
export function claimIndex(queues: readonly string[] | undefined, scansPerQueue = 1): Index {
  const merged = queues === undefined ? Number.POSITIVE_INFINITY : queues.length * scansPerQueue;
  return merged <= MAX_MERGED_SCANS ? claimableByQueue : claimableJobs;
}
