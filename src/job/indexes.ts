import type { IndexDescription } from 'mongodb';
import { expiring, formerExpiry, text } from '../mongo/collection-description.js';
import { settledStatuses } from './job.js';

/**
 * Every index costs writes, so each says what it is for. A job that is added, claimed, completed and removed when its time
 * has come costs 14 entries of indexes, made or removed.
 *
 * The claim indexes hold the queued jobs that wait for nothing except their time: no finished job is ever in them, and no
 * job that is held back. The bound on `runAt` lets a scan skip the delayed jobs of a priority with one key, and `jobName`
 * is there to pass over jobs that a worker does not know without fetching them. `status` and `claimable` are the last keys
 * where jobs are counted by keys alone: MongoDB does not know from a partial index's filter that a condition is met.
 *
 * An index whose keys are changed gets another name: MongoDB makes none of a name that it has, and the old one serves the
 * old version until the new one is there. What an old version names in its statements keeps its name and its keys, or
 * loses both, so that nothing is found in less than it was.
 */
const onlyQueued = { status: 'queued' } as const;

/** Both conditions, for workers of an earlier version leave `claimable` in the jobs that they claim. */
const onlyClaimable = { status: 'queued', claimable: true } as const;

/** Claims by workers of every queue, or of very many. Counts of queued jobs. */
export const claimableJobs = {
  name: 'claimable',
  key: { priority: -1, runAt: 1, _id: 1, jobName: 1, queue: 1, status: 1, claimable: 1 },
  partialFilterExpression: onlyClaimable,
} as const;

/** Claims by workers that are limited to queues. */
export const claimableByQueue = {
  name: 'claimableByQueue',
  key: { queue: 1, priority: -1, runAt: 1, _id: 1, jobName: 1, status: 1, claimable: 1 },
  partialFilterExpression: onlyClaimable,
} as const;

/**
 * The queued jobs that no claim sees: those that are to run alone after a crash, and those that a process of an earlier
 * version has queued. Most jobs are never in it.
 */
export const heldBackJobs = {
  name: 'heldBack',
  key: { runAlone: 1, priority: -1, runAt: 1, _id: 1, jobName: 1, queue: 1 },
  partialFilterExpression: { status: 'queued', claimable: null, retryCounter: { $gte: 0 } },
} as const;

/** Recovery of expired leases. Counts of running jobs. */
export const leaseExpiry = {
  name: 'leaseExpiry',
  key: { 'lease.expires': 1, status: 1 },
  partialFilterExpression: { status: 'processing' },
} as const;

/** One unsettled job per name and unique key; settling removes the key. */
export const uniqueKeyIndex = {
  name: 'uniqueKey',
  key: { jobName: 1, uniqueKey: 1 },
  unique: true,
  partialFilterExpression: { uniqueKey: { $exists: true } },
} as const;

/** At most one job per occurrence. */
const occurrence = {
  name: 'occurrence',
  key: { 'occurrence.item': 1, 'occurrence.at': 1 },
  unique: true,
  partialFilterExpression: { 'occurrence.item': { $exists: true } },
} as const;

/**
 * MongoDB deletes settled jobs when their time has come. That it is there tells that `ensureIndexes` looked whether the
 * collections are ours: see src/collections/require-ours.ts.
 */
export const jobExpiry = expiring('expiry', 'expireAt', {
  jobName: text,
  retryCounter: { $gte: 0 },
  status: { $in: [...settledStatuses] },
});

/**
 * Lists of jobs, newest or oldest first. These keys never change: they cost a write when a job is added, at the right edge,
 * and when it is removed.
 */
export const byCreated = { name: 'byCreated', key: { created: 1, _id: 1 } } as const;

/** Lists of one kind of jobs. */
export const byJobName = { name: 'byJobName', key: { jobName: 1, created: 1, _id: 1 } } as const;

/** Lists of one queue's jobs, for who wants to pay two entries a job for them. */
export const byQueue = { name: 'byQueue', key: { queue: 1, created: 1, _id: 1 } } as const;

/** Lists, counts and removals of what a person looks for. A job that completes is never in it. */
export const byUnsuccessful = {
  name: 'byUnsuccessful',
  key: { status: 1, created: 1, _id: 1, completed: 1 },
  partialFilterExpression: { status: { $in: ['cancelled', 'error'] } },
} as const;

export const jobIndexes: IndexDescription[] = [
  claimableJobs,
  claimableByQueue,
  heldBackJobs,
  leaseExpiry,
  uniqueKeyIndex,
  occurrence,
  jobExpiry,
  byCreated,
  byJobName,
  byUnsuccessful,
];

const formerClaim = {
  name: 'claim',
  key: { priority: -1, runAt: 1, _id: 1, jobName: 1 },
  partialFilterExpression: onlyQueued,
} as const;

const formerClaimAll = {
  name: 'claimAll',
  key: { priority: -1, runAt: 1, _id: 1, jobName: 1, queue: 1, status: 1 },
  partialFilterExpression: onlyQueued,
} as const;

/** Each version has made one of these, so that it tells a database where one of them was. */
export const everyVersions: readonly IndexDescription[] = [claimableJobs, formerClaimAll, formerClaim];

export const formerJobIndexes: readonly IndexDescription[] = [
  { ...formerExpiry, sparse: true },
  { name: 'status', key: { status: 1, _id: 1 } },
  formerClaim,
  { name: 'lease', key: { 'lease.expires': 1 }, partialFilterExpression: { status: 'processing' } },
  { name: 'byStatus', key: { status: 1, created: 1, _id: 1 } },
  formerClaimAll,
  {
    name: 'claimByQueue',
    key: { queue: 1, priority: -1, runAt: 1, _id: 1, jobName: 1 },
    partialFilterExpression: onlyQueued,
  },
];
