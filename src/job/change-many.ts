import type { AnyBulkWriteOperation, Collection, Document } from 'mongodb';
import * as z from 'zod';
import { callerRoleSchema, type Role } from '../access/role.js';
import { byId } from '../mongo/by-index.js';
import { resultDespiteTakenKeys } from '../mongo/duplicate-key.js';
import { validateNow } from '../validate.js';
import { findOrphans } from './find-orphans.js';
import { type FormerHolder, findCancelledHolders } from './former-holder.js';
import type { InTree } from './in-tree.js';
import type { Job, JobDocument, JobStatus } from './job.js';
import { type JobCollections, ourJob } from './jobs-collection.js';
import { type EndedBetween, endedBetweenFields, type JobsFilter, listJobs } from './list-jobs.js';
import type { JobRegistry } from './registry.js';
import { requestCancel } from './request-cancel.js';
import { requireUniqueKeys } from './require-unique-index.js';
import { queueAgain, type Retried, retriable } from './retry-job.js';
import { searchKeySchema } from './search-keys.js';

/** Selects the jobs that `jobs.retryMany` queues again. */
export interface RetryFilter
  extends Pick<JobsFilter, 'jobName' | 'queue' | 'key' | 'errorText'>,
    EndedBetween {
  readonly status: 'error' | 'cancelled';
}

/** Selects the jobs that `jobs.cancelMany` cancels. */
export interface CancelFilter extends Pick<JobsFilter, 'jobName' | 'queue' | 'key' | 'errorText'> {
  readonly status: 'queued' | 'processing';
}

/** Functions called before and after the jobs of a slice are queued again. */
export interface RetryHooks {
  readonly before: (found: readonly Pick<Job, 'group'>[]) => Promise<void>;
  readonly after: (retried: readonly Retried[]) => Promise<void>;
}

/** Limits of a change of many jobs. */
export interface ManyOptions {
  /** Maximum number of jobs to change. Default: all. */
  readonly limit?: number | undefined;
  /** No slice begins after this moment. */
  readonly deadline?: Date | undefined;
  /** No slice begins once this signal has fired. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `jobs.retryMany`. */
export interface RetryManyOptions extends ManyOptions {
  /** Role of the caller. Jobs whose `addRole` is higher are skipped. Default: code may retry all. */
  readonly callerRole?: Role | undefined;
}

/** Numbers of changed and skipped jobs. */
export interface ManyChanged {
  readonly changed: number;
  /**
   * Number of jobs that were not changed. They changed meanwhile, their unique key is taken, their parent has settled, or
   * the caller may not add them.
   */
  readonly skipped: number;
  /** Whether the call stopped before it had looked at all jobs. */
  readonly more: boolean;
}

/** Jobs per slice. Few enough that no other write is delayed for long. */
const SLICE = 1000;

const conditions = {
  jobName: z.string().optional(),
  queue: z.string().optional(),
  key: searchKeySchema.optional(),
  errorText: z.string().optional(),
};

const optionsSchema = z.strictObject({
  limit: z.int().min(1).default(Number.MAX_SAFE_INTEGER),
  deadline: z.date().optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

const retryFilterSchema = z.strictObject({
  status: z.enum(['error', 'cancelled']),
  ...conditions,
  ...endedBetweenFields,
});
const cancelFilterSchema = z.strictObject({ status: z.enum(['queued', 'processing']), ...conditions });
const retryOptionsSchema = optionsSchema.extend({ callerRole: callerRoleSchema });

/**
 * Queues jobs again, each as `retryJob` does. See `Jobs.retryMany`.
 */
export async function retryMany(
  collections: JobCollections,
  registry: JobRegistry,
  filter: RetryFilter,
  options: RetryManyOptions,
  hooks: RetryHooks,
): Promise<ManyChanged> {
  const valid = validateNow(retryFilterSchema, filter, 'Filter of jobs.retryMany');
  const { callerRole, ...limits } = validateNow(retryOptionsSchema, options, 'The call of jobs.retryMany');
  const { jobs } = collections;
  return inSlices(jobs, valid, limits, async (found) => {
    const allowed = await registry.mayAdd([...new Set(found.map(({ jobName }) => jobName))], callerRole);
    const orphans = await findOrphans(jobs, found);
    const some = found.filter(({ id, jobName }) => allowed.has(jobName) && !orphans.has(id));
    const ids = some.map(({ id }) => id);
    await requireFreedKeys(collections, ids);
    await hooks.before(some);
    const changed = await changeEach(jobs, ids, retriable, queueAgain);
    await hooks.after(some);
    return changed;
  });
}

/**
 * Requires the index of unique keys if one of these jobs takes its key again. Without the index, two jobs could have
 * the key. @throws IndexMissingError
 */
export async function requireFreedKeys(collections: JobCollections, ids: readonly string[]): Promise<void> {
  const freed = { _id: { $in: [...ids] }, freedUniqueKey: { $exists: true } };
  await requireUniqueKeys(collections, async () => (await collections.jobs.findOne(freed, byId)) !== null);
}

/**
 * Cancels jobs, each as `cancelJob` does. See `Jobs.cancelMany`. Jobs with limits cost one more command per slice.
 *
 * @param onFreed called with the cancelled jobs that held places in limits
 * @param onCancelled called with the jobs of each slice that were queued
 */
export async function cancelMany(
  jobs: Collection<JobDocument>,
  filter: CancelFilter,
  options: ManyOptions,
  onFreed: (jobs: readonly FormerHolder[]) => Promise<void>,
  onCancelled: (jobs: readonly CancelledInTree[]) => Promise<void>,
): Promise<ManyChanged> {
  const valid = validateNow(cancelFilterSchema, filter, 'Filter of jobs.cancelMany');
  const limits = validateNow(optionsSchema, options, 'The call of jobs.cancelMany');
  const change = requestCancel();
  return inSlices(jobs, valid, limits, async (found) => {
    const ids = found.map(({ id }) => id);
    const changed = await changeEach(jobs, ids, ['queued', 'processing'], change);
    await afterCancelling(jobs, found, onFreed, onCancelled);
    return changed;
  });
}

/**
 * Passes on the places of the jobs that were cancelled, and reports those with parents or children. Costs nothing for jobs
 * without limits, parents and children.
 */
export async function afterCancelling(
  jobs: Collection<JobDocument>,
  among: readonly ToCancel[],
  onFreed: (jobs: readonly FormerHolder[]) => Promise<void>,
  onCancelled: (jobs: readonly CancelledInTree[]) => Promise<void>,
): Promise<void> {
  const limited = among.filter(({ limits }) => limits !== undefined).map(({ id }) => id);
  if (limited.length > 0) await onFreed(await findCancelledHolders(jobs, { _id: { $in: limited } }));
  await onCancelled(await findCancelled(jobs, among));
}

/**
 * Finds the jobs among these that are cancelled now, and have others above or below them. Other jobs may have begun since
 * they were found.
 */
async function findCancelled(
  jobs: Collection<JobDocument>,
  among: readonly ToCancel[],
): Promise<CancelledInTree[]> {
  const inTrees = among.filter(({ group, steps }) => group !== undefined || steps?.children);
  if (inTrees.length === 0) return [];
  const cancelled = { _id: { $in: inTrees.map(({ id }) => id) }, status: 'cancelled' } as const;
  const options = { projection: { _id: 1 }, batchSize: inTrees.length + 1, ...byId } as const;
  const ids = new Set((await jobs.find(cancelled, options).toArray()).map(({ _id }) => _id));
  return inTrees.flatMap((job) => (ids.has(job.id) ? { ...job, status: 'cancelled' } : []));
}

/** A job that was queued when it was cancelled. */
export type CancelledInTree = InTree & { readonly id: string; readonly status: 'cancelled' };

type ToCancel = Pick<Job, 'id' | 'limits'> & InTree;

type Found = Pick<Job, 'jobName' | 'status' | 'after'> & ToCancel;

/** Goes through the jobs that match a filter in slices, oldest first. */
async function inSlices(
  jobs: Collection<JobDocument>,
  filter: JobsFilter,
  { limit, deadline, signal }: z.output<typeof optionsSchema>,
  change: (found: readonly Found[]) => Promise<number>,
): Promise<ManyChanged> {
  let changed = 0;
  let skipped = 0;
  let cursor: string | undefined;
  let before: Date | undefined;
  do {
    const isLate = deadline !== undefined && Date.now() >= deadline.getTime();
    if (isLate || signal?.aborted === true || changed >= limit) return { changed, skipped, more: true };
    const size = Math.min(SLICE, limit - changed);
    const page = await listJobs(
      jobs,
      { ...filter, order: 'oldest', brief: true, limit: size, cursor },
      before,
    );
    cursor = page.cursor;
    // One that fails again stands at the end of the list, and is not changed once more.
    if (cursor !== undefined) before ??= await newestEnd(jobs, filter);
    const done = page.jobs.length === 0 ? 0 : await change(page.jobs);
    changed += done;
    skipped += page.jobs.length - done;
  } while (cursor !== undefined);
  return { changed, skipped, more: false };
}

/**
 * Returns the moment directly after the newest end of a job with this status. Undefined if the list is ordered by when jobs
 * were added.
 */
async function newestEnd(jobs: Collection<JobDocument>, { status }: JobsFilter): Promise<Date | undefined> {
  if (status !== 'error' && status !== 'cancelled') return undefined;
  const { jobs: found } = await listJobs(jobs, { status, limit: 1, brief: true });
  const { completed } = found[0] ?? {};
  return completed && new Date(completed.getTime() + 1);
}

/** Changes the jobs that still have one of these statuses and returns their number. Ignores duplicate unique keys. */
async function changeEach(
  jobs: Collection<JobDocument>,
  ids: readonly string[],
  statuses: readonly JobStatus[],
  update: Document[],
): Promise<number> {
  if (ids.length === 0) return 0;
  const statements = ids.map((id): AnyBulkWriteOperation<JobDocument> => {
    return {
      updateOne: { filter: { ...ourJob, _id: id, status: { $in: [...statuses] } }, update, ...byId },
    };
  });
  const result = await jobs.bulkWrite(statements, { ordered: false }).catch(resultDespiteTakenKeys);
  return result.matchedCount;
}
