import type { Collection, Document } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { changeOrExplain } from './change-or-explain.js';
import { isOrdered } from './flow-rules.js';
import { type FormerHolder, holderFields } from './former-holder.js';
import { withoutLimits } from './held-places.js';
import type { JobDocument } from './job.js';
import { ourJob } from './jobs-collection.js';
import { unlessAlone } from './leave-processing.js';
import type { ResolvedRetryDelay } from './retry-delay.js';

/** The fields that can be changed while a job is queued. */
export interface QueuedJobChanges {
  readonly queue?: string | undefined;
  readonly priority?: number | undefined;
  /** Maximum number of attempts. Raised, if necessary, to one more than were used. */
  readonly maxRetries?: number | undefined;
  readonly retryDelay?: ResolvedRetryDelay | undefined;
  /** A moment, or a delay in milliseconds by the database's clock. */
  readonly runAt?: Date | number | undefined;
}

/**
 * Changes a queued job. Returns it as it was before.
 *
 * @throws NotFoundError, or ConflictError when the job is not queued, or when it has a strict order and `priority` or
 *   `runAt` is given. Nothing is changed then
 */
export async function updateQueuedJob(
  jobs: Collection<JobDocument>,
  id: string,
  changes: QueuedJobChanges,
): Promise<FormerHolder> {
  const movesInLine = ['priority', 'runAt'] as const;
  const given = movesInLine.find((field) => changes[field] !== undefined);
  const isMovable = given === undefined ? {} : { 'limits.key': { $not: /^order / } };
  const queued = { ...ourJob, _id: String(id), status: 'queued', ...isMovable } as const;
  const options = { returnDocument: 'before', projection: holderFields, ...byId } as const;
  const update = [{ $set: toFields(changes) }];
  return changeOrExplain(
    jobs,
    id,
    async () => (await jobs.findOneAndUpdate(queued, update, options)) ?? undefined,
    ({ status, limits }) => {
      if (status !== 'queued')
        return `Job '${id}' cannot be changed: only queued jobs can, and its status is '${status}'.`;
      return given !== undefined && isOrdered(limits)
        ? `Job '${id}' cannot be changed: it runs in the order in which it was added, so it has no ${given} of its own.`
        : undefined;
    },
  );
}

/** A job that waits for other jobs goes on waiting. */
const stillHeld = { $gt: [{ $size: { $ifNull: ['$waitsFor', []] } }, 0] };

function toFields({ queue, priority, maxRetries, retryDelay, runAt }: QueuedJobChanges): Document {
  return {
    ...(queue !== undefined && { queue: { $literal: queue } }),
    ...(priority !== undefined && { priority }),
    ...(maxRetries !== undefined && { maxRetries: { $max: [maxRetries, { $add: ['$retryCounter', 1] }] } }),
    ...(retryDelay !== undefined && { retryDelay: { $literal: retryDelay } }),
    ...(runAt !== undefined && {
      runAt: runAt instanceof Date ? runAt : { $add: ['$$NOW', runAt] },
      claimable: { $cond: [stillHeld, false, unlessAlone] },
      ...withoutLimits,
    }),
  };
}
