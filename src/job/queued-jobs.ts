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
  /**
   * Names among these whose jobs take turns. Jobs of these names are ready even while they wait for their turn. Absent for
   * none.
   */
  readonly inTurns?: readonly string[];
  /** Takes only jobs with this `runAt` or a later one. */
  readonly runAtFrom?: Date;
  /** A further condition, which must come from code. */
  readonly jobQuery?: Filter<JobDocument>;
}

/** Returns whether no job can match the filter, so no query is needed. */
export function takesNothing({ jobNames, queues }: ClaimFilter): boolean {
  return jobNames.length === 0 || queues?.length === 0;
}

/**
 * The priorities. A query that lists each of them can read jobs in order of `runAt` from an index with `priority`
 * before `runAt`, without a sort.
 */
export const priorities = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

export const highestPriority = Math.max(...priorities);

/** The order in which jobs are claimed, which is also that of the claim indexes. */
export const claimOrder = { priority: -1, runAt: 1, _id: 1 } as const;

/**
 * Matches every priority. MongoDB considers an index only if its first key has a condition, and a bound on `runAt`
 * limits the scan only if all keys before it have conditions. A range is used, because listed values would need a scan
 * each, and the number of scans is limited (see below).
 */
export const anyPriority = { $gte: 0 } as const;

/** Matches queued jobs that wait only for their time. Claims see only such jobs. */
export const isClaimable = { status: 'queued', claimable: true } as const;

/** Matches every job of ours, since a foreign document has no counter. */
export const isOurs = { retryCounter: { $gte: 0 } } as const;

/** Matches queued jobs that no claim sees, because `claimable` is missing. Their index has the same condition. */
const isHeldBack = { status: 'queued', claimable: null, ...isOurs } as const;

/** Matches jobs that lost their worker. Each runs alone next time, which shows whether it kills its worker. */
export const waitsAlone = { ...isHeldBack, runAlone: true } as const;

/**
 * Matches claimable jobs when the claim index is missing, since jobs of earlier versions may then not be marked yet.
 * Includes all jobs that need not run alone, and uses the index of the earlier versions.
 */
export const isClaimableUnmarked = {
  status: 'queued',
  runAlone: null,
  claimable: { $in: [true, null] },
} as const;

/** Matches all queued jobs that no claim sees. Their index needs a condition on its first key. */
export const heldBack = { ...isHeldBack, runAlone: { $in: [true, null] } } as const;

/** Matches jobs queued by a process of an earlier version. They need not run alone. */
export const isUnmarked = { ...isHeldBack, runAlone: null } as const;

/** Returns a filter for the claimable jobs that match a worker's filter and further conditions. */
export function queuedJobs(
  { jobNames, queues, runAtFrom, jobQuery }: ClaimFilter,
  conditions: Filter<JobDocument>,
  held: Filter<JobDocument> = isClaimable,
): Filter<JobDocument> {
  const queued: Filter<JobDocument> = {
    ...held,
    jobName: { $in: [...jobNames] },
    ...(queues && { queue: { $in: [...queues] } }),
    priority: anyPriority,
    ...(runAtFrom && { runAt: { $gte: runAtFrom } }),
    ...conditions,
  };
  return jobQuery ? { $and: [queued, jobQuery] } : queued;
}

/** Matches jobs that are due by the database's clock. */
export const isDue: Filter<JobDocument> = { $expr: { $lte: ['$runAt', '$$NOW'] } };

/** Maximum number of index scans that MongoDB merges in order. With more, it would read and sort all matches. */
const MAX_MERGED_SCANS = 200;

/**
 * Returns the index for queries of queued jobs. The index by queue has a scan per queue, merged in order. With more
 * scans than MongoDB merges, the other index is used, which also reads a key for each job of other queues.
 *
 * @param scansPerQueue number of `priority` values, if the query lists them
 */
export function claimIndex(queues: readonly string[] | undefined, scansPerQueue = 1): Index {
  const merged = queues === undefined ? Number.POSITIVE_INFINITY : queues.length * scansPerQueue;
  return merged <= MAX_MERGED_SCANS ? claimableByQueue : claimableJobs;
}
