import type { ClientSession, Collection, Document, Filter, MongoClient } from 'mongodb';
import { isKind } from '../brand.js';
import { IndexMissingError } from '../errors.js';
import { endLostAttempt, undoLostAttempt } from '../job/end-lost-attempt.js';
import type { HeldSlot, JobLimit } from '../job/flow-rules.js';
import { type InTree, treeFields } from '../job/in-tree.js';
import { leaseExpiry } from '../job/indexes.js';
import type { JobDocument, SettledStatus } from '../job/job.js';
import { makeClaimable } from '../job/make-claimable.js';
import { freedBySettling } from '../job/outcome.js';
import { byId, byIndex, type IndexHint } from '../mongo/by-index.js';
import { inTransaction } from '../mongo/in-transaction.js';
import {
  findDueMaintenance,
  isExpired,
  type KnownBeforeClaim,
  type MaintainedCollections,
} from './find-due-maintenance.js';

/** More attempts are left to the next call, to keep the transaction short. A worker hardly ever holds this many. */
const MAX_RECOVERED = 2000;

/** The result of a recovery, and what it learned on the way. */
export interface Recovery extends KnownBeforeClaim {
  /** The attempts that it ended. */
  readonly lost: readonly LostAttempt[];
  /** How many jobs of an earlier version it made claimable. */
  readonly madeClaimable: number;
}

/** An attempt whose lease expired, and what recovery made of its job. */
export interface LostAttempt {
  readonly jobId: string;
  readonly jobName: string;
  readonly queue: string;
  readonly attempt: number;
  readonly worker: string;
  readonly leaseExpired: Date;
  /** Undefined when the job is queued again. */
  readonly settledAs: SettledStatus | undefined;
  /** The limits of the job, and the places in them that it has lost. */
  readonly limits: readonly JobLimit[];
  readonly slots: readonly HeldSlot[];
  /** The jobs above and below it. */
  readonly tree: InTree;
}

/**
 * Ends attempts whose leases have expired by the database's clock, because their workers crashed, hang, or cannot reach the
 * database. May run anywhere and any number of times at once. With nothing to do, it costs one command that examines
 * nothing.
 *
 * A job that was alone in its worker used up its attempt. If several were lost together, any may be the culprit. Running
 * each alone next time tells them apart. A transaction looks at all leases of a dead worker together, so that two
 * recoverers see the same jobs together.
 *
 * The same command reads what every invocation must know before it claims: which queues are paused, and whether jobs must
 * run alone. It also finds jobs queued by processes of an earlier version, which claims do not see. These are made
 * claimable.
 */
export async function recoverJobs(
  collections: MaintainedCollections & { readonly client: MongoClient },
): Promise<Recovery> {
  const { client, jobs } = collections;
  const { areSomeExpired, areSomeUnmarked, ...known } = await findDueMaintenance(collections);
  const lost = areSomeExpired ? await recoverAll(client, jobs) : [];
  const madeClaimable = areSomeUnmarked ? await makeClaimable(jobs) : 0;
  return { ...known, lost, madeClaimable, waitsAlone: known.waitsAlone || lost.length > 0 };
}

/** Recovers in a transaction. A missing index ends the first one, and the second does without it. */
async function recoverAll(client: MongoClient, jobs: Collection<JobDocument>): Promise<LostAttempt[]> {
  const recover = () => inTransaction(client, (session) => recoverExpired(jobs, session));
  try {
    return await recover();
  } catch (error) {
    if (!isKind(error, IndexMissingError)) throw error;
    return recover();
  }
}

type ExpiredJob = Pick<
  JobDocument,
  | '_id'
  | 'jobName'
  | 'queue'
  | 'lease'
  | 'cancelRequested'
  | 'retryCounter'
  | 'maxRetries'
  | 'limits'
  | 'slots'
> &
  InTree & { readonly now: Date };

async function recoverExpired(jobs: Collection<JobDocument>, session: ClientSession): Promise<LostAttempt[]> {
  const expired = await findExpired(jobs, session);
  const alive = await liveWorkers(jobs, expired, session);
  const lost = expired.filter((job) => !mayHaveMoreToLose(job, alive));
  const alone = lost.filter((job) => isOnlyOne(job, lost));
  const inCompany = lost.filter((job) => !isOnlyOne(job, lost));
  await endAll(jobs, alone.filter(isUndoneFirst), undoLostAttempt(), session);
  await endAll(
    jobs,
    alone.filter((job) => !isUndoneFirst(job)),
    endLostAttempt(false),
    session,
  );
  await endAll(jobs, inCompany, endLostAttempt(true), session);
  return [...alone.map((job) => toLost(job, false)), ...inCompany.map((job) => toLost(job, true))];
}

/**
 * Describes a lost attempt as `endLostAttempt` will end it. Keep the two alike. Needs no second read, since the transaction
 * works on the job as it was read.
 */
function toLost(job: ExpiredJob, inCompany: boolean): LostAttempt {
  const { _id: jobId, jobName, queue, retryCounter: attempt, lease, now } = job;
  const hasFailed = !inCompany && wasLastAttempt(job) && !isUndoneFirst(job);
  const settledAs = job.cancelRequested !== undefined ? 'cancelled' : hasFailed ? 'error' : undefined;
  const leaseExpired = lease?.expires ?? now;
  const { limits = [] } = job;
  const slots = settledAs ? freedBySettling(job, settledAs) : [];
  const { group, parents, steps } = job;
  const tree = {
    ...(group !== undefined && { group }),
    ...(parents && { parents }),
    ...(steps && { steps }),
  };
  return {
    jobId,
    jobName,
    queue,
    attempt,
    worker: workerOf(job),
    leaseExpired,
    settledAs,
    limits,
    slots,
    tree,
  };
}

/** Whether a job that was alone has used up its attempts. An attempt that stored a step is not used up. */
function wasLastAttempt({ retryCounter, maxRetries, lease }: ExpiredJob): boolean {
  return retryCounter >= maxRetries && lease?.stepped !== true;
}

/** Whether the steps of a job that was alone are undone before the job ends in `error`. */
function isUndoneFirst(job: ExpiredJob): boolean {
  return wasLastAttempt(job) && job.steps?.undo === 'possible' && job.cancelRequested === undefined;
}

/**
 * Returns all lost jobs of each worker, or none. The limit may have cut off jobs of the last worker, so the last worker is
 * left out. A worker that is the only one is kept. It may hold more jobs than the limit: 1000 that run, 1000 whose outcomes
 * are being written, and some whose outcomes it could not write.
 */
async function findExpired(jobs: Collection<JobDocument>, session: ClientSession): Promise<ExpiredJob[]> {
  const byWorker = { $sort: { 'lease.worker': 1 } };
  const ofAttempt = { lease: 1, cancelRequested: 1, retryCounter: 1, maxRetries: 1 };
  const ofJob = { jobName: 1, queue: 1, limits: 1, slots: 1, ...treeFields, 'steps.undo': 1 };
  const needed = { $project: { ...ofJob, ...ofAttempt, now: '$$NOW' } };
  const stages = [{ $match: isExpired }, needed, byWorker, { $limit: MAX_RECOVERED }];
  const find = (hint: IndexHint) => jobs.aggregate<ExpiredJob>(stages, { session, ...hint }).toArray();
  const expired = await byIndex(jobs, leaseExpiry, find, session);
  const last = expired[MAX_RECOVERED - 1];
  const whole = last ? expired.filter((job) => workerOf(job) !== workerOf(last)) : expired;
  return whole.length > 0 ? whole : expired;
}

function workerOf({ lease }: ExpiredJob): string {
  return lease?.worker ?? '';
}

/**
 * Returns the workers of these jobs that hold a live lease. Leases that are no longer renewed do not count. All leases are
 * judged at the moment of the search. Otherwise a lease that ends during the search would be neither expired nor alive.
 */
async function liveWorkers(
  jobs: Collection<JobDocument>,
  expired: readonly ExpiredJob[],
  session: ClientSession,
): Promise<Set<string>> {
  const [first] = expired;
  if (first === undefined) return new Set();
  const held: Filter<JobDocument> = {
    status: 'processing',
    'lease.worker': { $in: [...new Set(expired.map(workerOf))] },
    'lease.expires': { $gt: first.now },
    cancelRequested: { $exists: false },
  };
  return new Set(await jobs.distinct('lease.worker', held, { session }));
}

/**
 * Returns whether a worker may be about to lose more jobs. The other leases of a dead worker expire up to a third of a
 * lease later. If they are still alive after half a lease, the worker lives and lost only this job.
 */
function mayHaveMoreToLose(job: ExpiredJob, alive: ReadonlySet<string>): boolean {
  if (job.cancelRequested !== undefined || !alive.has(workerOf(job))) return false;
  return job.lease !== undefined && job.now.getTime() - job.lease.expires.getTime() < job.lease.lengthMs / 2;
}

function isOnlyOne(job: ExpiredJob, lost: readonly ExpiredJob[]): boolean {
  return lost.every((other) => other === job || workerOf(other) !== workerOf(job));
}

async function endAll(
  jobs: Collection<JobDocument>,
  lost: readonly ExpiredJob[],
  ending: Document[],
  session: ClientSession,
): Promise<void> {
  if (lost.length === 0) return;
  const stillTheirs: Filter<JobDocument> = {
    _id: { $in: lost.map(({ _id }) => _id) },
    'lease.token': { $in: lost.flatMap(({ lease }) => (lease ? [lease.token] : [])) },
  };
  await jobs.updateMany(stillTheirs, ending, { session, ...byId });
}
