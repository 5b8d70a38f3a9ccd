import type { Collection, Document, Filter } from 'mongodb';
import { ConflictError } from '../errors.js';
import { byId } from '../mongo/by-index.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { changeOrExplain } from './change-or-explain.js';
import { findOrphans } from './find-orphans.js';
import { mayBeAdded, mayBeChild } from './group.js';
import { withoutLimitsExceptOrder } from './held-places.js';
import type { Job, JobDocument, JobStatus } from './job.js';
import { type JobCollections, ourJob } from './jobs-collection.js';
import { withLastAttempt } from './kept-attempts.js';
import { unlessAlone } from './leave-processing.js';
import { requireUniqueKeys } from './require-unique-index.js';
import { tryingStepsAnew } from './step-statements.js';

/** The statuses of jobs that can be queued again. */
export const retriable: readonly JobStatus[] = ['error', 'cancelled'];

/**
 * Queues a job again that ended in `error` or `cancelled`, at a person's request. The job keeps its counter and errors,
 * and `maxRetries` goes up by one. It takes its unique key again. A job that was delayed when it was cancelled keeps
 * its `runAt`.
 *
 * @param before called with a job of a batch or a workflow before it is queued
 * @throws NotFoundError, ConflictError if the job has another status, its unique key is taken or its parent has settled, or
 *   IndexMissingError if a taken key would go unnoticed. Nothing was changed then
 */
export async function retryJob(
  collections: JobCollections,
  id: string,
  before: (found: Pick<Job, 'group'>) => Promise<void> = async () => {},
): Promise<Retried> {
  const { jobs } = collections;
  const settled: Filter<JobDocument> = { ...ourJob, _id: String(id), status: { $in: [...retriable] } };
  await requireUniqueKeys(collections, async () => (await freedUniqueKey(jobs, id)) !== undefined);
  await requireParent(jobs, String(id));
  if (mayBeAdded(String(id))) {
    const options = { projection: { group: 1 }, ...byId } as const;
    const found = await jobs.findOne(settled, options);
    if (found) await before(found);
  }
  try {
    return await changeOrExplain(
      jobs,
      id,
      async () => {
        const found = await jobs.findOneAndUpdate(settled, queueAgain, {
          projection: retriedFields,
          ...byId,
        });
        return found ? { ...found, id } : undefined;
      },
      ({ status }) =>
        retriable.includes(status)
          ? undefined
          : `Job '${id}' cannot be retried: only 'error' and 'cancelled' jobs can, and its status is '${status}'.`,
    );
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw new ConflictError(id, `Job '${id}' cannot be retried: another job has its unique key by now.`);
  }
}

/** Refuses to retry a child whose parent has settled. @throws ConflictError */
async function requireParent(jobs: Collection<JobDocument>, id: string): Promise<void> {
  if (!mayBeChild(id)) return;
  const job = await jobs.findOne({ _id: id }, { projection: { parents: 1 }, ...byId });
  const { parents } = job ?? {};
  if ((await findOrphans(jobs, [{ id, ...(parents && { parents }) }])).size === 0) return;
  throw new ConflictError(
    id,
    `Job '${id}' cannot be retried: nobody waits for it, because its parent '${parents?.at(-1)}' has ended. Retry that.`,
  );
}

/** A job that was queued again, as far as groups are concerned. */
export type Retried = Pick<Job, 'id' | 'group' | 'after'>;

const retriedFields = { group: 1, after: 1 } as const;

async function freedUniqueKey(jobs: Collection<JobDocument>, id: string): Promise<string | undefined> {
  const job = await jobs.findOne({ _id: String(id) }, { projection: { freedUniqueKey: 1 } });
  return job?.freedUniqueKey;
}

/** Whether a job was suspended until its children end. */
const waitedForOthers = { $gt: [{ $size: { $ifNull: ['$steps.waits.on', []] } }, 0] };

export const queueAgain: Document[] = [
  {
    $set: {
      status: 'queued',
      claimable: { $cond: [{ $isArray: '$after' }, false, unlessAlone] },
      waitsFor: { $ifNull: ['$after', '$$REMOVE'] },
      queued: '$$NOW',
      attempts: withLastAttempt,
      // What a suspended parent waited for has ended, or is cancelled, and its children are retried by the parent itself.
      runAt: { $cond: [waitedForOthers, '$$NOW', { $max: ['$runAt', '$$NOW'] }] },
      maxRetries: { $add: ['$maxRetries', 1] },
      uniqueKey: { $ifNull: ['$freedUniqueKey', '$$REMOVE'] },
      ...withoutLimitsExceptOrder,
      ...tryingStepsAnew,
    },
  },
  {
    $unset: [
      'completed',
      'cancelRequested',
      'expireAt',
      'freedUniqueKey',
      'unfinishedCounter',
      'lostCounter',
      'progress',
      'failureKey',
    ],
  },
];
