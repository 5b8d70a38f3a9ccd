import type { Document } from 'mongodb';
import { type SettledStatus, settledStatuses } from './job.js';
import { DEFAULT_RETENTION } from './job-options.js';

/**
 * Returns the stages with which a job leaves `processing`. Every ending of an attempt passes through here, or through
 * `completeAttempts`: completed, failed, given back, turned away or lost. The stages set the status first, then the fields
 * that depend on it, including `changes`. A job that is to be cancelled becomes `cancelled`, however its attempt ended.
 */
export function leaveProcessing(statusUnlessCancelled: string | Document, changes: Document): Document[] {
  const isCancelled = { $ne: [{ $type: '$cancelRequested' }, 'missing'] };
  const status = { $cond: [isCancelled, 'cancelled', statusUnlessCancelled] };
  const claimable = whenQueued(true, '$$REMOVE');
  return [{ $set: { status } }, { $set: { ...unleased, ...reset, claimable, ...byStatus, ...changes } }];
}

/**
 * Clears both marks by default: an attempt that ended by itself, well or badly, fitted into the invocation and did not
 * kill its worker.
 */
export const reset = { unfinishedCounter: '$$REMOVE', runAlone: '$$REMOVE' };

/** Removes the lease and keeps only its token. */
export const unleased = { lease: '$$REMOVE', lastToken: '$lease.token' };

/** The value of `claimable` for a queued job. Missing if the job must run alone. */
export const unlessAlone = { $cond: ['$runAlone', '$$REMOVE', true] };

/** Gives a job its unique key back if the key's period is not over. A cancelled job has freed its key for good. */
export const keepingKey = {
  $set: {
    uniqueKey: {
      $cond: [
        { $and: [{ $in: ['$status', ['completed', 'error']] }, { $gt: ['$uniqueUntil', '$$NOW'] }] },
        '$freedUniqueKey',
        '$uniqueKey',
      ],
    },
  },
};

export function whenQueued(value: unknown, otherwise: unknown): Document {
  return { $cond: [{ $eq: ['$status', 'queued'] }, value, otherwise] };
}

export function whenSettled(value: unknown, otherwise: unknown): Document {
  return { $cond: [{ $in: ['$status', settledStatuses] }, value, otherwise] };
}

export function whenCompleted(value: unknown): Document {
  return { $cond: [{ $eq: ['$status', 'completed'] }, value, '$$REMOVE'] };
}

/** How long a job with this status is kept. `'forever'` for a job that is not settled. */
const retentionMs = {
  $switch: {
    branches: settledStatuses.map((status) => ({
      case: { $eq: ['$status', status] },
      then: retentionMsOf(status),
    })),
    default: 'forever',
  },
};

export function retentionMsOf(status: SettledStatus): Document {
  return { $ifNull: [`$retention.${status}`, DEFAULT_RETENTION[status]] };
}

/** A job that a scheduler item made ahead is kept at least until its occurrence. See remove-jobs.ts. */
const keptFrom = { $max: ['$$NOW', '$occurrence.at'] };

/**
 * Returns when a job expires, or nothing for `'forever'`. With retention 0 it expires now, and the TTL index removes it
 * within a minute if settling did not.
 */
export function keptFor(ms: Document): Document {
  return { $cond: [{ $eq: [ms, 'forever'] }, '$$REMOVE', { $add: [keptFrom, ms] }] };
}

/** Fields that depend on whether the new status is queued, settled, or neither. */
export const byStatus = {
  queued: whenQueued('$$NOW', '$queued'),
  completed: whenSettled('$$NOW', '$$REMOVE'),
  uniqueKey: whenSettled('$$REMOVE', '$uniqueKey'),
  freedUniqueKey: whenSettled('$uniqueKey', '$$REMOVE'),
  expireAt: keptFor(retentionMs),
};
