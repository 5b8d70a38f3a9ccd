import { randomUUID } from 'node:crypto';
import type { Collection, Document } from 'mongodb';
import { anyBreakerKey, type BreakerRules, breakerKeyOf } from '../job/breaker-rules.js';
import type { ClaimedJob, JobDocument } from '../job/job.js';
import { turnAway } from '../job/turn-away.js';
import { anyMoment } from '../mongo/any-moment.js';
import { byId } from '../mongo/by-index.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import type { LimitDocument, Probe } from './limit-document.js';

/**
 * How long the document of an open breaker is kept after the last change. A kind of jobs that nobody ran for so long may
 * run again.
 */
const KEPT_MS = 24 * 3600 * 1000;

/** A circuit breaker that is open, or half open. */
export interface OpenBreaker {
  readonly jobName: string;
  /** Milliseconds until a job may be tried. 0 or less for half open. */
  readonly probeInMs: number;
  readonly probeAt: Date;
  /** The job that is tried, or the last job that was tried, if nobody learned how it ended. */
  readonly probe?: Probe;
}

/** Finds which circuit breakers of these kinds of jobs are not closed, by one command. */
export async function findOpenBreakers(
  limits: Collection<LimitDocument>,
  jobNames: readonly string[],
): Promise<OpenBreaker[]> {
  const names = new Map(jobNames.map((name) => [breakerKeyOf(name), name]));
  const opened = { _id: { $in: [...names.keys()] }, opened: anyMoment };
  const projection = { probe: 1, probeAt: 1, probeInMs: { $subtract: ['$probeAt', '$$NOW'] } };
  const found = await limits
    .find<LimitDocument & { readonly probeInMs: number }>(opened, {
      projection,
      batchSize: names.size + 1,
      ...byId,
    })
    .toArray();
  return found.flatMap(({ _id, probe, probeAt, probeInMs }) => {
    const jobName = names.get(_id);
    return jobName !== undefined && probeAt ? { jobName, probeAt, probeInMs, ...(probe && { probe }) } : [];
  });
}

/** Finds breakers that are open, or half open, of any kinds of jobs. */
export async function findAllOpen(
  limits: Collection<LimitDocument>,
  limit: number,
): Promise<LimitDocument[]> {
  const opened = { _id: anyBreakerKey, opened: anyMoment };
  return limits.find(opened, { limit, batchSize: limit + 1, ...byId }).toArray();
}

/**
 * Counts failed attempts, unless the breaker is open. Opens it if there were too many. Returns whether this call has opened
 * the breaker, or it was open already.
 */
export async function addFailures(
  limits: Collection<LimitDocument>,
  jobName: string,
  { failures, withinMs, pauseMs }: BreakerRules,
  count: number,
): Promise<'opened' | 'open' | 'closed'> {
  const openedBy = randomUUID();
  const isClosed = { $eq: [{ $type: '$opened' }, 'missing'] };
  const isRecent = { $gt: ['$$moment', { $subtract: ['$$NOW', withinMs] }] };
  const recent = { $filter: { input: { $ifNull: ['$failed', []] }, as: 'moment', cond: isRecent } };
  const more = Array<string>(Math.min(count, failures)).fill('$$NOW');
  const opens = { $and: [isClosed, { $gte: [{ $size: '$failed' }, failures] }] };
  const ifOpens = (value: unknown, field: string) => ({ $cond: [opens, value, field] });
  const keptMs = { $cond: [isClosed, withinMs, pauseMs + KEPT_MS] };
  const update = [
    { $set: { failed: { $cond: [isClosed, lastOf({ $concatArrays: [recent, more] }, failures), []] } } },
    {
      $set: {
        opened: ifOpens('$$NOW', '$opened'),
        openedBy: ifOpens(openedBy, '$openedBy'),
        probeAt: ifOpens({ $add: ['$$NOW', pauseMs] }, '$probeAt'),
      },
    },
    { $set: { next: { $max: ['$next', { $add: ['$$NOW', keptMs] }] } } },
  ];
  for (;;) {
    try {
      const options = { upsert: true, returnDocument: 'after', ...byId } as const;
      const after = await limits.findOneAndUpdate({ _id: breakerKeyOf(jobName) }, update, options);
      if (after?.openedBy === openedBy) return 'opened';
      return after?.opened ? 'open' : 'closed';
    } catch (error) {
      if (!isDuplicateKey(error)) throw error; // Another process made the document at the same moment.
    }
  }
}

function lastOf(list: Document, count: number): Document {
  return { $slice: [list, -count] };
}

/**
 * Makes a job the only one that is tried, unless the breaker has changed since it was found. Returns whether it did.
 *
 * @param found the half open breaker
 * @param lookMs how long nobody asks whether the job still runs
 */
export async function takeProbe(
  limits: Collection<LimitDocument>,
  { jobName, probeAt }: OpenBreaker,
  { id, token }: ClaimedJob,
  lookMs: number,
): Promise<boolean> {
  const probe = { job: { $literal: id }, token: { $literal: token } };
  return change(limits, { _id: breakerKeyOf(jobName), probeAt }, { probe, ...from(lookMs) });
}

/** Lets nobody ask for a time whether the job that is tried still runs. */
export async function putOffLook(
  limits: Collection<LimitDocument>,
  { jobName, probeAt }: OpenBreaker,
  lookMs: number,
): Promise<void> {
  await change(limits, { _id: breakerKeyOf(jobName), probeAt }, from(lookMs));
}

/** Lets another job be tried after a time, if this is the one that is tried now. Returns whether it was. */
export async function endProbe(
  limits: Collection<LimitDocument>,
  job: ClaimedJob,
  againInMs: number,
): Promise<boolean> {
  return change(limits, triedBy(job), { probe: '$$REMOVE', ...from(againInMs) });
}

/** Closes a breaker, if this job is the one that is tried. Returns whether it was. */
export async function closeByProbe(limits: Collection<LimitDocument>, job: ClaimedJob): Promise<boolean> {
  return (await limits.deleteOne(triedBy(job), byId)).deletedCount > 0;
}

/** Closes a breaker, and forgets failures. Returns whether it was open, or half open. */
export async function closeBreaker(limits: Collection<LimitDocument>, jobName: string): Promise<boolean> {
  const before = await limits.findOneAndDelete({ _id: breakerKeyOf(jobName) }, byId);
  return before?.opened !== undefined;
}

/** Returns whether a job that is tried has a live lease. */
export async function isTried(jobs: Collection<JobDocument>, { job, token }: Probe): Promise<boolean> {
  const isLive = { $expr: { $gt: ['$lease.expires', '$$NOW'] } };
  const leased = { _id: job, status: 'processing' as const, 'lease.token': token, ...isLive };
  return (await jobs.findOne(leased, { projection: { _id: 1 }, ...byId })) !== null;
}

/** Returns claimed jobs to the queue as they were. */
export async function returnJobs(
  jobs: Collection<JobDocument>,
  claimed: readonly ClaimedJob[],
): Promise<void> {
  const leased = {
    _id: { $in: claimed.map(({ id }) => id) },
    status: 'processing' as const,
    'lease.token': { $in: [...new Set(claimed.map(({ token }) => token))] },
  };
  await jobs.updateMany(leased, turnAway({ kind: 'returned' }), byId);
}

function triedBy({ id, jobName, token }: ClaimedJob) {
  return { _id: breakerKeyOf(jobName), 'probe.job': id, 'probe.token': token };
}

function from(inMs: number) {
  return {
    probeAt: { $add: ['$$NOW', inMs] },
    next: { $max: ['$next', { $add: ['$$NOW', inMs + KEPT_MS] }] },
  };
}

async function change(
  limits: Collection<LimitDocument>,
  filter: Document,
  changes: Document,
): Promise<boolean> {
  return (await limits.updateOne(filter, [{ $set: changes }], byId)).modifiedCount > 0;
}
