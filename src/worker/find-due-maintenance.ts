import type { Document, Filter } from 'mongodb';
import type { FlowCollections } from '../flow/limit-document.js';
import type { DueLimit } from '../flow/lines.js';
import { type GroupCollections, isDueForCheck } from '../group/group-document.js';
import { heldBackJobs, leaseExpiry } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { anyPriority, isDue, isOurs, isUnmarked, waitsAlone } from '../job/queued-jobs.js';
import { anyMoment } from '../mongo/any-moment.js';
import { byIndex, byOptionalIndex, type IndexHint } from '../mongo/by-index.js';
import { isDueOperation, type OperationCollections } from '../operation/operation-document.js';
import { isPaused, type QueueCollections } from '../queue/queue-document.js';

/** Maximum number of limits to find. The rest is left to the next time. */
const MAX_LIMITS = 500;

/** The collections that `findDueMaintenance` reads. */
export type MaintainedCollections = QueueCollections &
  FlowCollections &
  GroupCollections &
  Pick<OperationCollections, 'operations'>;

/** Facts that every invocation must know before it claims. */
export interface KnownBeforeClaim {
  /** The names of paused queues. */
  readonly pausedQueues: readonly string[];
  /** Limits whose lines somebody must look after. */
  readonly dueLimits: readonly DueLimit[];
  /** Whether somebody must look after groups of jobs. */
  readonly areGroupsDue: boolean;
  /** Whether an operation on many jobs waits for somebody to go on with it. */
  readonly areOperationsDue: boolean;
  /** Whether due jobs must run alone. */
  readonly waitsAlone: boolean;
}

/** Maintenance that is due, and facts that a claim needs. */
export interface DueMaintenance extends KnownBeforeClaim {
  /** Whether leases have expired. */
  readonly areSomeExpired: boolean;
  /** Whether processes of an earlier version queued jobs, which claims do not see. */
  readonly areSomeUnmarked: boolean;
}

/** Matches jobs whose lease has expired by the database's clock. */
export const isExpired: Filter<JobDocument> = {
  status: 'processing',
  ...isOurs,
  'lease.expires': anyMoment,
  $expr: { $lte: ['$lease.expires', '$$NOW'] },
};

/** Finds work that no claim sees, by one command. With nothing to do, it examines nothing. */
export async function findDueMaintenance(collections: MaintainedCollections): Promise<DueMaintenance> {
  const found = await findOfEachKind(collections);
  return {
    pausedQueues: found.flatMap(({ queue }) => queue ?? []),
    dueLimits: found.flatMap(({ limit }) => limit ?? []),
    areGroupsDue: found.some(({ isGroupDue }) => isGroupDue),
    areOperationsDue: found.some(({ isOperationDue }) => isOperationDue),
    waitsAlone: found.some(({ isAlone }) => isAlone),
    areSomeExpired: found.some(({ isExpired }) => isExpired),
    areSomeUnmarked: found.some(({ isUnmarked }) => isUnmarked),
  };
}

/** A document of the answer. Each has one field. */
interface Found {
  readonly isExpired?: true;
  readonly isAlone?: true;
  readonly isUnmarked?: true;
  readonly isGroupDue?: true;
  readonly isOperationDue?: true;
  readonly queue?: string;
  readonly limit?: DueLimit;
}

/** Returns one job for each kind of work to do, and the paused queues. */
async function findOfEachKind({
  jobs,
  queues,
  limits,
  jobGroups,
  operations,
}: MaintainedCollections): Promise<Found[]> {
  const expired = firstThat(isExpired, 'isExpired');
  const alone = firstThat({ ...waitsAlone, priority: anyPriority, ...isDue }, 'isAlone');
  const union = (coll: string, pipeline: Document[]) => ({ $unionWith: { coll, pipeline } });
  const queue = { $project: { _id: 0, queue: '$_id' } };
  const paused = union(queues.collectionName, [{ $match: isPaused }, { $sort: { _id: 1 } }, queue]);
  const dueLimits = union(limits.collectionName, [
    { $match: { next: anyMoment, $expr: { $lte: ['$next', '$$NOW'] } } },
    { $limit: MAX_LIMITS },
    { $project: { _id: 0, limit: { _id: '$_id', next: '$next' } } },
  ]);
  const groupDue = union(jobGroups.collectionName, firstThat(isDueForCheck, 'isGroupDue'));
  const operationDue = union(operations.collectionName, firstThat(isDueOperation, 'isOperationDue'));
  const all = [
    ...firstThat(isUnmarked, 'isUnmarked'),
    union(jobs.collectionName, alone),
    union(jobs.collectionName, expired),
    paused,
    dueLimits,
    groupDue,
    operationDue,
  ];
  const find = (stages: Document[], hint: IndexHint) =>
    jobs.aggregate<Found>(stages, { batchSize: 1000, ...hint }).toArray();
  const withoutHeldBack = () =>
    byIndex(jobs, leaseExpiry, (hint) => find([...expired, paused, dueLimits, groupDue, operationDue], hint));
  // Without their index, finding held-back jobs would scan all jobs.
  return byOptionalIndex(jobs, heldBackJobs, () => find(all, { hint: heldBackJobs.key }), withoutHeldBack);
}

function firstThat(conditions: Document, mark: keyof Found): Document[] {
  return [{ $match: conditions }, { $limit: 1 }, { $project: { _id: 0, [mark]: { $literal: true } } }];
}
