import { type IndexDescription, MongoServerError } from 'mongodb';
import type { Collections } from './collections.js';

/** MongoDB's code for an index that is not there. */
const INDEX_NOT_FOUND = 27;

/**
 * Every index costs a write per status change, so each says what it is for.
 *
 * The claim indexes hold queued jobs only: finished jobs are never in them. The bound on `runAt` lets a scan
 * skip the delayed jobs of a priority with one key, and `jobName` is there to pass over jobs that a worker
 * does not know without fetching them.
 */
const jobIndexes: IndexDescription[] = [
  // Claims by workers of every queue.
  {
    name: 'claim',
    key: { priority: -1, runAt: 1, _id: 1, jobName: 1 },
    partialFilterExpression: { status: 'queued' },
  },
  // Claims by workers that are limited to queues.
  {
    name: 'claimByQueue',
    key: { queue: 1, priority: -1, runAt: 1, _id: 1, jobName: 1 },
    partialFilterExpression: { status: 'queued' },
  },
  // Recovery of expired leases.
  { name: 'lease', key: { 'lease.expires': 1 }, partialFilterExpression: { status: 'processing' } },
  // One unsettled job per name and unique key; settling removes the key.
  {
    name: 'uniqueKey',
    key: { jobName: 1, uniqueKey: 1 },
    unique: true,
    partialFilterExpression: { uniqueKey: { $exists: true } },
  },
  // At most one job per occurrence.
  {
    name: 'occurrence',
    key: { 'occurrence.item': 1, 'occurrence.at': 1 },
    unique: true,
    partialFilterExpression: { 'occurrence.item': { $exists: true } },
  },
  // MongoDB deletes settled jobs when their time has come.
  { name: 'expireAt', key: { expireAt: 1 }, expireAfterSeconds: 0, sparse: true },
  // Lists of jobs, newest or oldest first. What these three begin with never changes, or only when a person changes it,
  // so they cost a write when a job is added, at their right edge, and when it is removed.
  { name: 'byCreated', key: { created: 1, _id: 1 } },
  { name: 'byJobName', key: { jobName: 1, created: 1, _id: 1 } },
  { name: 'byQueue', key: { queue: 1, created: 1, _id: 1 } },
  // Lists, counts and removals by status.
  { name: 'byStatus', key: { status: 1, created: 1, _id: 1 } },
];

/** Of earlier versions. They are dropped once those that took their place are there. */
const formerJobIndexes = ['status'];

const schedulerIndexes: IndexDescription[] = [
  // The items that are due: a tick examines those and no others.
  { name: 'due', key: { nextCallTime: 1 }, partialFilterExpression: { active: true } },
  // The items that are declared in code, which are few, among those that are not.
  {
    name: 'declared',
    key: { 'declared.by': 1 },
    partialFilterExpression: { 'declared.by': { $exists: true } },
  },
];

const workerIndexes: IndexDescription[] = [
  // Counting those that live; MongoDB deletes those that crashed.
  { name: 'expires', key: { expires: 1 }, expireAfterSeconds: 60 },
];

const wrongKeyIndexes: IndexDescription[] = [
  // MongoDB deletes what no longer counts.
  { name: 'expireAt', key: { expireAt: 1 }, expireAfterSeconds: 0 },
];

const idempotencyKeyIndexes: IndexDescription[] = [
  // MongoDB deletes keys when their time has come.
  { name: 'expireAt', key: { expireAt: 1 }, expireAfterSeconds: 0 },
];

const statisticsIndexes: IndexDescription[] = [
  // MongoDB deletes old minutes.
  { name: 'expireAt', key: { expireAt: 1 }, expireAfterSeconds: 0 },
];

/**
 * Makes the indexes that are missing, and drops those of earlier versions. Part of a deployment
 * (`npm run ensure-indexes`), never of a cold start.
 */
export async function ensureIndexes({
  jobs,
  scheduler,
  workers,
  wrongKeys,
  idempotencyKeys,
  statistics,
}: Collections): Promise<void> {
  await jobs.createIndexes(jobIndexes);
  for (const name of formerJobIndexes) await dropIndex(jobs, name);
  await scheduler.createIndexes(schedulerIndexes);
  await workers.createIndexes(workerIndexes);
  await idempotencyKeys.createIndexes(idempotencyKeyIndexes);
  await wrongKeys.createIndexes(wrongKeyIndexes);
  await statistics.createIndexes(statisticsIndexes);
}

async function dropIndex(jobs: Collections['jobs'], name: string): Promise<void> {
  try {
    await jobs.dropIndex(name);
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== INDEX_NOT_FOUND) throw error;
  }
}

/** The indexes that `ensureIndexes` makes, by their collections. */
export const indexesByCollection: Partial<Record<keyof Collections, readonly IndexDescription[]>> = {
  jobs: jobIndexes,
  scheduler: schedulerIndexes,
  workers: workerIndexes,
  idempotencyKeys: idempotencyKeyIndexes,
  wrongKeys: wrongKeyIndexes,
  statistics: statisticsIndexes,
};
