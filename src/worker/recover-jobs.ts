import type { ClientSession, Collection, Document, Filter, MongoClient } from 'mongodb';
import { isKind } from '../brand.js';
import { IndexMissingError } from '../errors.js';
import { endLostAttempt } from '../job/end-attempt.js';
import { heldBackJobs, leaseExpiry } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { makeClaimable } from '../job/make-claimable.js';
import { anyPriority, isCounted, isDue, isUnmarked, waitsAlone } from '../job/queued-jobs.js';
import { anyMoment } from '../mongo/any-moment.js';
import { byId, byIndex, byOptionalIndex, type IndexHint } from '../mongo/by-index.js';
import { inTransaction } from '../mongo/in-transaction.js';
import { isPaused, type QueueCollections } from '../queue/queue-document.js';

/** More are left to the next call: one transaction must stay short. A worker holds hardly ever so many. */
const MAX_RECOVERED = 2000;

/** What a recovery did, and what it came to know on the way. */
export interface Recovery {
  /** How many attempts it ended. */
  readonly recovered: number;
  /** The names of the queues that are paused. */
  readonly pausedQueues: readonly string[];
  /** Whether jobs are due that are to run alone. */
  readonly waitsAlone: boolean;
}

/**
 * Ends the attempts whose leases have expired by the database's clock: their workers crashed, hang, or cannot reach
 * the database. May run anywhere, any number of times at once. Idle, it costs one command that examines nothing.
 *
 * A job that was alone in its worker used up its attempt. Of several that were lost together any may be the culprit:
 * they are told apart by running each alone next time. For that, all leases of a dead worker are looked at together,
 * in a transaction, so that two recoverers see the same company.
 *
 * The same command reads what every invocation has to know before it claims: which queues are paused, and whether jobs are
 * to be run alone. It also finds jobs that processes of an earlier version have queued, which claims do not see: these are
 * made claimable, and counted with those that were recovered.
 */
export async function recoverJobs({ client, jobs, queues }: QueueCollections): Promise<Recovery> {
  const looked = await look(jobs, queues.collectionName);
  const pausedQueues = looked.flatMap(({ queue }) => queue ?? []);
  const isAnyExpired = looked.some(({ isExpired }) => isExpired);
  const isAnyUnmarked = looked.some(({ isUnmarked }) => isUnmarked);
  const ended = isAnyExpired ? await recoverAll(client, jobs) : 0;
  const marked = isAnyUnmarked ? await makeClaimable(jobs) : 0;
  const waitsAlone = looked.some(({ isAlone }) => isAlone) || ended > 0;
  return { recovered: ended + marked, pausedQueues, waitsAlone };
}

/** An index that is missing ends the first transaction, and is done without by the second. */
async function recoverAll(client: MongoClient, jobs: Collection<JobDocument>): Promise<number> {
  const recover = () => inTransaction(client, (session) => recoverExpired(jobs, session));
  try {
    return await recover();
  } catch (error) {
    if (!isKind(error, IndexMissingError)) throw error;
    return recover();
  }
}

/** What a recovery finds, each in a document of its own. */
interface Found {
  readonly isExpired?: true;
  readonly isAlone?: true;
  readonly isUnmarked?: true;
  readonly queue?: string;
}

/** One job of each kind that there is something to do for, and the queues that are paused. */
async function look(jobs: Collection<JobDocument>, queues: string): Promise<Found[]> {
  const expired = firstThat(isExpired, 'isExpired');
  const alone = firstThat({ ...waitsAlone, priority: anyPriority, ...isDue }, 'isAlone');
  const union = (coll: string, pipeline: Document[]) => ({ $unionWith: { coll, pipeline } });
  const queue = { $project: { _id: 0, queue: '$_id' } };
  const paused = union(queues, [{ $match: isPaused }, { $sort: { _id: 1 } }, queue]);
  const all = [
    ...firstThat(isUnmarked, 'isUnmarked'),
    union(jobs.collectionName, alone),
    union(jobs.collectionName, expired),
    paused,
  ];
  const find = (stages: Document[], hint: IndexHint) =>
    jobs.aggregate<Found>(stages, { batchSize: 1000, ...hint }).toArray();
  const withoutHeldBack = () => byIndex(jobs, leaseExpiry, (hint) => find([...expired, paused], hint));
  // Without their index, the jobs that are held back would be looked for among all jobs.
  return byOptionalIndex(jobs, heldBackJobs, () => find(all, { hint: heldBackJobs.key }), withoutHeldBack);
}

function firstThat(conditions: Filter<JobDocument>, mark: keyof Found): Document[] {
  return [{ $match: conditions }, { $limit: 1 }, { $project: { _id: 0, [mark]: { $literal: true } } }];
}

const isExpired: Filter<JobDocument> = {
  status: 'processing',
  ...isCounted,
  'lease.expires': anyMoment,
  $expr: { $lte: ['$lease.expires', '$$NOW'] },
};

type ExpiredJob = Pick<JobDocument, '_id' | 'lease' | 'cancelRequested'> & { readonly now: Date };

async function recoverExpired(jobs: Collection<JobDocument>, session: ClientSession): Promise<number> {
  const expired = await findExpired(jobs, session);
  const alive = await liveWorkers(jobs, expired, session);
  const lost = expired.filter((job) => !mayHaveMoreToLose(job, alive));
  const alone = lost.filter((job) => isOnlyOne(job, lost));
  const inCompany = lost.filter((job) => !isOnlyOne(job, lost));
  return (await endAll(jobs, alone, false, session)) + (await endAll(jobs, inCompany, true, session));
}

/**
 * Of each worker all that is lost, or nothing: the last worker's may be cut off by the limit. Unless it is the only one: a
 * worker runs 1000 jobs while 1000 outcomes are written, and those that it could not write are left as well.
 */
async function findExpired(jobs: Collection<JobDocument>, session: ClientSession): Promise<ExpiredJob[]> {
  const byWorker = { $sort: { 'lease.worker': 1 } };
  const needed = { $project: { lease: 1, cancelRequested: 1, now: '$$NOW' } };
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
 * The workers of these jobs that hold a lease which has not expired. One that is not renewed any more does not count. All
 * is judged at the moment at which these were found: a lease that ends in between would be neither expired nor alive.
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
 * The other leases of a worker that died expire up to a third of a lease later. If they still have not by half a
 * lease, the worker lives, and lost this job alone.
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
  inCompany: boolean,
  session: ClientSession,
): Promise<number> {
  if (lost.length === 0) return 0;
  const stillTheirs: Filter<JobDocument> = {
    _id: { $in: lost.map(({ _id }) => _id) },
    'lease.token': { $in: lost.flatMap(({ lease }) => (lease ? [lease.token] : [])) },
  };
  const { modifiedCount } = await jobs.updateMany(stillTheirs, endLostAttempt(inCompany), {
    session,
    ...byId,
  });
  return modifiedCount;
}
