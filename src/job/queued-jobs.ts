import type { Filter } from 'mongodb';
import type { Index } from '../mongo/by-index.js';
import { claimableByQueue, claimableJobs } from './indexes.js';
import type { JobDocument } from './job.js';

/** The jobs that a worker takes. */
export interface ClaimFilter {
  /** Names of jobs to take. Other jobs wait untouched for a worker that knows them. */
  readonly jobNames: readonly string[];
  /** Queues to take jobs from. Absent for all. */
  readonly queues?: readonly string[];
  /** Any further condition, given in code. */
  readonly jobQuery?: Filter<JobDocument>;
}

/** Returns whether no job can match the filter, so no query is needed. */
export function takesNothing({ jobNames, queues }: ClaimFilter): boolean {
  return jobNames.length === 0 || queues?.length === 0;
}

/** All priorities. With each of them named, an index that contains `priority` gives the order of `runAt` without a sort. */
export const priorities = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

export const highestPriority = Math.max(...priorities);

/** The order in which jobs are claimed, and of the claim indexes. */
export const claimOrder = { priority: -1, runAt: 1, _id: 1 } as const;

/**
 * Matches every priority. MongoDB considers an index only for a condition on its first key, and `runAt` bounds a scan
 * only behind conditions on all keys before it. This is a range because MongoDB would read each named value as a scan,
 * and the number of scans is limited: see below.
 */
export const anyPriority = { $gte: 0 } as const;

/** Queued jobs that wait only for their time. Claims see no other jobs. */
export const isClaimable = { status: 'queued', claimable: true } as const;

/** Every job has a counter. A foreign document has none, and is not taken. */
export const isCounted = { retryCounter: { $gte: 0 } } as const;

/** Queued jobs that no claim sees, because the field is missing, as in the filter of their index. */
const isHeldBack = { status: 'queued', claimable: null, ...isCounted } as const;

/** Jobs that were lost in company. Each must run alone, which shows which of them kills its worker. */
export const waitsAlone = { ...isHeldBack, runAlone: true } as const;

/**
 * Jobs that a claim sees if its index is missing, and with it the step that marks jobs of earlier versions. Includes all
 * jobs that need not run alone, by the index of those versions.
 */
export const isClaimableUnmarked = { status: 'queued', runAlone: null } as const;

/** All queued jobs that no claim sees, by their index, which needs a condition on its first key. */
export const heldBack = { ...isHeldBack, runAlone: { $in: [true, null] } } as const;

/** Jobs queued by a process of an earlier version. Nothing holds them back. */
export const isUnmarked = { ...isHeldBack, runAlone: null } as const;

/** Returns a filter for the claimable jobs that match a worker's filter and further conditions. */
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

/** Matches jobs that are due by the database's clock. */
export const isDue: Filter<JobDocument> = { $expr: { $lte: ['$runAt', '$$NOW'] } };

/** Maximum number of index scans that MongoDB merges in order. Beyond this, it would read and sort everything. */
const MAX_MERGED_SCANS = 200;

/**
 * Returns the index for queries of queued jobs. The index by queue reads a stretch per queue and merges them in order.
 * With more queues than MongoDB merges, the other index is used, which reads a key for each job of another queue.
 *
 * @param scansPerQueue number of `priority` values, if they are named
 */
export function claimIndex(queues: readonly string[] | undefined, scansPerQueue = 1): Index {
  const merged = queues === undefined ? Number.POSITIVE_INFINITY : queues.length * scansPerQueue;
  return merged <= MAX_MERGED_SCANS ? claimableByQueue : claimableJobs;
}
