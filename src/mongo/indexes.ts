import type { IndexDescription } from 'mongodb';
import type { Collections } from './collections.js';

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
  // Listing and removing by status.
  { name: 'status', key: { status: 1, _id: 1 } },
];

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

const signInIndexes: IndexDescription[] = [
  // MongoDB deletes what no longer counts.
  { name: 'expireAt', key: { expireAt: 1 }, expireAfterSeconds: 0 },
];

const idempotencyKeyIndexes: IndexDescription[] = [
  // MongoDB deletes keys when their time has come.
  { name: 'expireAt', key: { expireAt: 1 }, expireAfterSeconds: 0 },
];

/** Makes the indexes that are missing. Part of a deployment (`npm run ensure-indexes`), never of a cold start. */
export async function ensureIndexes({
  jobs,
  scheduler,
  workers,
  signIns,
  idempotencyKeys,
}: Collections): Promise<void> {
  await jobs.createIndexes(jobIndexes);
  await scheduler.createIndexes(schedulerIndexes);
  await workers.createIndexes(workerIndexes);
  await idempotencyKeys.createIndexes(idempotencyKeyIndexes);
  await signIns.createIndexes(signInIndexes);
}
