import { setTimeout as wait } from 'node:timers/promises';
import type { Collection, Document, Filter } from 'mongodb';
import { byId, byIndex, type Index, idIndex } from '../mongo/by-index.js';
import { leaseExpiry } from '../mongo/indexes.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { isUnknownOutcome } from '../mongo/unreachable.js';
import { ClaimSpread } from './claim-spread.js';
import { type ClaimedJob, type JobDocument, toJob, withoutLog } from './job.js';
import { type ClaimFilter, claimIndex, claimOrder, isDue, queuedJobs, takesNothing } from './queued-jobs.js';

/** Who takes them, under which token, for how long. */
export interface LeaseRequest {
  readonly token: string;
  readonly worker: string;
  readonly leaseMs: number;
}

/**
 * Claims up to `limit` due jobs: higher priority first, then earlier `runAt`, then `_id`.
 *
 * One command for a single job; two for any number: find candidates; take them by one conditional update. Whoever comes
 * second takes less than it found, reads back by token what it did take (a third command), and tries again for the rest:
 * so fewer than `limit` means that no more are due, or that a later try failed.
 *
 * @param isIdle whether the worker runs nothing else. A job that must run alone is taken by an idle worker only, and
 *   nothing beside it; a busy one that comes to such a job takes no more until it is idle, or the job would never run.
 * @param spread of this worker: what it remembers of others that claim as well
 */
export async function claimJobs(
  jobs: Collection<JobDocument>,
  filter: ClaimFilter,
  lease: LeaseRequest,
  limit: number,
  isIdle = true,
  spread = new ClaimSpread(),
): Promise<ClaimedJob[]> {
  if (takesNothing(filter)) return [];
  const due = dueJobs(filter);
  if (limit === 1) return claimOne(jobs, due, lease, isIdle);
  const claimed: ClaimedJob[] = [];
  try {
    await claimMany(claimed, jobs, due, lease, limit, isIdle, spread);
  } catch (error) {
    // What was taken before has to be run: nobody else would until its lease has expired, and that uses up an attempt.
    if (claimed.length === 0) throw error;
  }
  return claimed;
}

/** Tries until there are `limit` in `claimed`, or no more are to be had. */
async function claimMany(
  claimed: ClaimedJob[],
  jobs: Collection<JobDocument>,
  due: DueJobs,
  lease: LeaseRequest,
  limit: number,
  isIdle: boolean,
  spread: ClaimSpread,
): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES && claimed.length < limit; tries += 1) {
    const { place, size } = spread.next(limit - claimed.length);
    const found = await findCandidates(jobs, due, size, place * size);
    if (found.length < size) spread.endsAfter(found.length > 0 ? place + 1 : place);
    const candidates = takeable(found, isIdle && claimed.length === 0);
    const taken = candidates.length > 0 ? await take(jobs, due, candidates, lease) : [];
    claimed.push(...taken);
    if (taken.length < candidates.length) {
      spread.lost();
      await wait(Math.random() * MAX_BACKOFF_MS);
      continue;
    }
    if (taken.length > 0) spread.won();
    if (candidates.length < found.length) {
      if (!candidates[0]?.runAlone) spread.metLoner();
      return;
    }
    if (found.length < size && place === 0) return;
  }
}

/** After an unknown outcome the token tells whether a job was taken; if not, it tries again. */
async function claimOne(
  jobs: Collection<JobDocument>,
  due: DueJobs,
  lease: LeaseRequest,
  isIdle: boolean,
  tries = 0,
): Promise<ClaimedJob[]> {
  try {
    const first = await byIndex(jobs, due.index, (hint) =>
      jobs.findOneAndUpdate(due.filter, isIdle ? takeBy(lease) : takeUnlessAlone(lease), {
        sort: claimOrder,
        returnDocument: 'after',
        projection: withoutLog,
        ...hint,
      }),
    );
    return first?.lease?.token === lease.token ? [toClaimedJob(first, lease.token)] : [];
  } catch (error) {
    if (!isUnknownOutcome(error) || tries === MAX_TRIES) throw error;
    const leased = { status: 'processing' as const, 'lease.expires': { $gt: new Date(0) } };
    const taken = await readBack(jobs, leased, leaseExpiry, lease);
    return taken.length > 0 ? taken : claimOne(jobs, due, lease, isIdle, tries + 1);
  }
}

/** Nearly each means that somebody else took jobs; so many in a row do not happen, but would be no reason to hang. */
const MAX_TRIES = 30;

/** Between two tries: about as long as a claim takes. */
const MAX_BACKOFF_MS = 10;

async function take(
  jobs: Collection<JobDocument>,
  due: DueJobs,
  candidates: readonly JobDocument[],
  lease: LeaseRequest,
): Promise<ClaimedJob[]> {
  const tookAll = await takeJobs(jobs, due, candidates, lease);
  if (tookAll) return candidates.map((candidate) => asTaken(candidate, lease.token));
  return readBack(jobs, { _id: { $in: candidates.map(({ _id }) => _id) } }, idIndex, lease);
}

/** Jobs that can be claimed, and the index that finds them in the order of claims. */
interface DueJobs {
  readonly filter: Filter<JobDocument>;
  readonly index: Index;
}

/** Every job has a counter; a document of somebody else has none, and is not taken. */
const isCounted: Filter<JobDocument> = { retryCounter: { $gte: 0 } };

function dueJobs(filter: ClaimFilter): DueJobs {
  return { filter: queuedJobs(filter, { ...isDue, ...isCounted }), index: claimIndex(filter.queues) };
}

/** Jobs that a claim with this filter would find, at most `limit`: what still waits when a worker stops. */
export async function countDueJobs(
  jobs: Collection<JobDocument>,
  filter: ClaimFilter,
  limit: number,
): Promise<number> {
  if (takesNothing(filter)) return 0;
  const due = queuedJobs(filter, isDue);
  return byIndex(jobs, claimIndex(filter.queues), (hint) => jobs.countDocuments(due, { limit, ...hint }));
}

function findCandidates(
  jobs: Collection<JobDocument>,
  due: DueJobs,
  limit: number,
  skip: number,
): Promise<JobDocument[]> {
  // A batch is 101 documents unless its size is given, whatever the limit.
  const all = { limit, skip, batchSize: limit, singleBatch: true };
  return byIndex(jobs, due.index, (hint) =>
    jobs.find(due.filter, { sort: claimOrder, projection: withoutLog, ...all, ...hint }).toArray(),
  );
}

/** Those before the first that must run alone; that one, when it comes first and may be run now. */
function takeable(candidates: readonly JobDocument[], isIdle: boolean): readonly JobDocument[] {
  const first = candidates.findIndex(({ runAlone }) => runAlone);
  if (first === -1) return candidates;
  return first === 0 && isIdle ? candidates.slice(0, 1) : candidates.slice(0, first);
}

/**
 * The update repeats every condition of the find, and the `retryCounter` seen: a job that went round (taken,
 * failed, queued again) in between is not taken with an outdated attempt. True when all were taken. When the
 * outcome is unknown (the driver does not retry an update of many) it is false: reading back tells.
 */
async function takeJobs(
  jobs: Collection<JobDocument>,
  due: DueJobs,
  candidates: readonly JobDocument[],
  lease: LeaseRequest,
): Promise<boolean> {
  try {
    const seen = { $and: [asSeen(candidates), due.filter] };
    const { modifiedCount } = await jobs.updateMany(seen, takeBy(lease), byId);
    return modifiedCount === candidates.length;
  } catch (error) {
    if (isUnknownOutcome(error)) return false;
    throw error;
  }
}

/** The update pipeline that takes a job. */
function takeBy(lease: LeaseRequest): Document[] {
  return [{ $set: fieldsOfClaim(lease) }];
}

/** The same, for a busy worker: a job that must run alone stays as it is. */
function takeUnlessAlone(lease: LeaseRequest): Document[] {
  const fields = Object.entries(fieldsOfClaim(lease)).map(([name, value]) => [
    name,
    { $cond: ['$runAlone', `$${name}`, value] },
  ]);
  return [{ $set: Object.fromEntries(fields) }];
}

/** What a claim sets, as expressions. */
function fieldsOfClaim({ token, worker, leaseMs }: LeaseRequest): Document {
  return {
    status: 'processing',
    picked: '$$NOW',
    started: '$$NOW',
    retryCounter: { $add: ['$retryCounter', 1] },
    progress: '$$REMOVE',
    lease: {
      token,
      worker: { $literal: worker },
      expires: { $add: ['$$NOW', leaseMs] },
      lengthMs: leaseMs,
    },
  };
}

/** The candidates, each with the `retryCounter` seen: usually one in all, at most `maxRetries` different ones. */
function asSeen(candidates: readonly JobDocument[]): Filter<JobDocument> {
  const idsByCounter = new Map<number, string[]>();
  for (const { _id, retryCounter } of candidates) {
    const ids = idsByCounter.get(retryCounter);
    if (ids) ids.push(_id);
    else idsByCounter.set(retryCounter, [_id]);
  }
  const arms = [...idsByCounter].map(([retryCounter, ids]) => ({ _id: { $in: ids }, retryCounter }));
  const [only, ...others] = arms;
  if (only && others.length === 0) return only;
  return { _id: { $in: candidates.map(({ _id }) => _id) }, $or: arms };
}

/** The candidate as it now stands in the database, the times of the claim aside. */
function asTaken(candidate: JobDocument, token: string): ClaimedJob {
  const { progress: _, ...kept } = candidate;
  return toClaimedJob({ ...kept, status: 'processing', retryCounter: candidate.retryCounter + 1 }, token);
}

/** What a claim has taken: its token tells. @param index finds those that meet the condition `where` */
async function readBack(
  jobs: Collection<JobDocument>,
  where: Filter<JobDocument>,
  index: Index,
  { token, leaseMs }: LeaseRequest,
): Promise<ClaimedJob[]> {
  const projection = withoutLog;
  const find = () =>
    byIndex(jobs, index, (hint) =>
      jobs.find({ ...where, 'lease.token': token }, { projection, ...hint }).toArray(),
    );
  const taken = await retryWhileUnreachable(leaseMs / 2, find);
  return taken.map((document) => toClaimedJob(document, token));
}

function toClaimedJob(document: JobDocument, token: string): ClaimedJob {
  const { lease: _, ...job } = toJob(document);
  return { ...job, token };
}
