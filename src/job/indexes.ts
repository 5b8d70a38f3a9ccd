import type { IndexDescription } from 'mongodb';
import { expiring, formerExpiry, text } from '../mongo/collection-description.js';
import { settledStatuses } from './job.js';

/**
 * Indexes cost writes, so each comment says what its index is for. A job that is added, claimed, completed and removed on
 * expiry costs 14 index entries, made or removed.
 *
 * The claim indexes hold only claimable jobs, so no finished or held-back job is ever in them. The bound on `runAt` lets a
 * scan skip all delayed jobs of a priority at the cost of one key. `jobName` lets it skip unknown jobs without fetching
 * them. `status` and `claimable` are the last keys, so that jobs can be counted by keys alone. MongoDB does not infer their
 * values from a partial index's filter.
 *
 * An index whose keys change gets a new name, since MongoDB does not replace an index of the same name. The old index
 * serves the old version until the new one exists. An index named in an old version's statements keeps its name and keys,
 * or is dropped. So no old index finds fewer documents than before.
 */
const onlyQueued = { status: 'queued' } as const;

/** Has both conditions, because workers of an earlier version leave `claimable` in the jobs that they claim. */
const onlyClaimable = { status: 'queued', claimable: true } as const;

/** Serves claims by workers of all queues or of very many, and counts of queued jobs. */
export const claimableJobs = {
  name: 'claimable',
  key: { priority: -1, runAt: 1, _id: 1, jobName: 1, queue: 1, status: 1, claimable: 1 },
  partialFilterExpression: onlyClaimable,
} as const;

/** Serves claims by workers that are limited to queues. */
export const claimableByQueue = {
  name: 'claimableByQueue',
  key: { queue: 1, priority: -1, runAt: 1, _id: 1, jobName: 1, status: 1, claimable: 1 },
  partialFilterExpression: onlyClaimable,
} as const;

/**
 * Holds the queued jobs that claims do not see: jobs that must run alone after a crash, and jobs queued by a process of
 * an earlier version. Most jobs are never in it.
 */
export const heldBackJobs = {
  name: 'heldBack',
  key: { runAlone: 1, priority: -1, runAt: 1, _id: 1, jobName: 1, queue: 1 },
  partialFilterExpression: { status: 'queued', claimable: null, retryCounter: { $gte: 0 } },
} as const;

/**
 * Allows only one job per place in a limit. A job that completed or was cancelled holds none, whatever its `slots` say.
 * Holds only jobs of kinds with limits.
 */
export const slotIndex = {
  name: 'slots',
  key: { 'slots.key': 1, 'slots.number': 1 },
  unique: true,
  partialFilterExpression: {
    'slots.key': { $exists: true },
    status: { $in: ['queued', 'processing', 'error'] },
  },
} as const;

/** Serves the line of jobs that wait for a place in a limit. Most jobs are never in it. */
export const blockedJobs = {
  name: 'blocked',
  key: { blockedBy: 1, priority: -1, runAt: 1, _id: 1 },
  partialFilterExpression: { blockedBy: { $exists: true }, status: 'queued' },
} as const;

/**
 * Serves looks at groups: which of their jobs are queued or running, and which failed. A completed job is not in it.
 * `status` is a key, so that jobs can be counted by keys alone.
 */
export const membersIndex = {
  name: 'groupMembers',
  key: { group: 1, status: 1, completed: 1 },
  partialFilterExpression: {
    group: { $exists: true },
    status: { $in: ['queued', 'processing', 'error', 'cancelled'] },
  },
} as const;

/** Serves what waits for other jobs to end. Most jobs never do. */
export const heldJobs = {
  name: 'held',
  key: { 'waitsFor.on': 1 },
  partialFilterExpression: { 'waitsFor.on': { $exists: true }, status: 'queued' },
} as const;

/** Serves recovery of expired leases and counts of running jobs. */
export const leaseExpiry = {
  name: 'leaseExpiry',
  key: { 'lease.expires': 1, status: 1 },
  partialFilterExpression: { status: 'processing' },
} as const;

/** Allows only one unsettled job per name and unique key. Settling removes the key. */
export const uniqueKeyIndex = {
  name: 'uniqueKey',
  key: { jobName: 1, uniqueKey: 1 },
  unique: true,
  partialFilterExpression: { uniqueKey: { $exists: true } },
} as const;

/** Allows only one job per occurrence, and serves the list of an item's jobs. */
export const occurrence = {
  name: 'occurrence',
  key: { 'occurrence.item': 1, 'occurrence.at': 1 },
  unique: true,
  partialFilterExpression: { 'occurrence.item': { $exists: true } },
} as const;

/**
 * Lets MongoDB delete settled jobs on expiry. Its presence shows that `ensureIndexes` has checked that the collections
 * are ours. See src/collections/require-ours.ts.
 */
export const jobExpiry = expiring('expiry', 'expireAt', {
  jobName: text,
  retryCounter: { $gte: 0 },
  status: { $in: [...settledStatuses] },
});

/**
 * Serves lists of jobs, newest or oldest first. These keys never change. They cost a write at the end of the index when
 * a job is added, and another when it is removed.
 */
export const byCreated = { name: 'byCreated', key: { created: 1, _id: 1 } } as const;

/** Serves lists of one kind of jobs. */
export const byJobName = { name: 'byJobName', key: { jobName: 1, created: 1, _id: 1 } } as const;

/** Serves lists of a queue's jobs. Optional, because it costs two entries per job. */
export const byQueue = { name: 'byQueue', key: { queue: 1, created: 1, _id: 1 } } as const;

/**
 * Serves lists, counts and removals of jobs that failed or were cancelled, by when they ended. A completed job is never in
 * it.
 */
export const byEnd = {
  name: 'byEnd',
  key: { status: 1, completed: 1, _id: 1 },
  partialFilterExpression: { status: { $in: ['cancelled', 'error'] } },
} as const;

/** Serves lists and counts of jobs that failed alike. Holds only jobs in `error`, since no others have the key. */
export const byFailure = {
  name: 'byFailure',
  key: { failureKey: 1, completed: 1, _id: 1 },
  partialFilterExpression: { failureKey: { $exists: true } },
} as const;

/** Serves lists of the jobs with a value in their input. Holds only jobs of kinds with searchable fields. */
export const byKey = {
  name: 'byKey',
  key: { keys: 1, created: 1, _id: 1 },
  partialFilterExpression: { keys: { $exists: true } },
} as const;

export const jobIndexes: IndexDescription[] = [
  claimableJobs,
  claimableByQueue,
  heldBackJobs,
  slotIndex,
  blockedJobs,
  membersIndex,
  heldJobs,
  leaseExpiry,
  uniqueKeyIndex,
  occurrence,
  jobExpiry,
  byCreated,
  byJobName,
  byEnd,
  byFailure,
  byKey,
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

/** Indexes that show that a database is already in use. Each version made one of these. */
export const everyVersions: readonly IndexDescription[] = [claimableJobs, formerClaimAll, formerClaim];

export const formerJobIndexes: readonly IndexDescription[] = [
  { ...formerExpiry, sparse: true },
  { name: 'status', key: { status: 1, _id: 1 } },
  formerClaim,
  { name: 'lease', key: { 'lease.expires': 1 }, partialFilterExpression: { status: 'processing' } },
  { name: 'byStatus', key: { status: 1, created: 1, _id: 1 } },
  formerClaimAll,
  {
    name: 'byUnsuccessful',
    key: { status: 1, created: 1, _id: 1, completed: 1 },
    partialFilterExpression: { status: { $in: ['cancelled', 'error'] } },
  },
  {
    name: 'claimByQueue',
    key: { queue: 1, priority: -1, runAt: 1, _id: 1, jobName: 1 },
    partialFilterExpression: onlyQueued,
  },
  {
    name: 'members',
    key: { group: 1, completed: 1 },
    partialFilterExpression: membersIndex.partialFilterExpression,
  },
];
