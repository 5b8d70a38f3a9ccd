import type { Collection, Document, Filter } from 'mongodb';
import { byId, byIndex, type Index, type IndexHint, idIndex } from '../mongo/by-index.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { isUnknownOutcome } from '../mongo/unreachable.js';
import { leaseExpiry } from './indexes.js';
import { type ClaimedJob, type JobDocument, toJob, withoutLog } from './job.js';
import {
  type ClaimFilter,
  claimIndex,
  claimOrder,
  isClaimableUnmarked,
  isDue,
  isOurs,
  queuedJobs,
} from './queued-jobs.js';

/** The lease that a claim gives to its jobs. */
export interface LeaseRequest {
  readonly token: string;
  readonly worker: string;
  readonly leaseMs: number;
}

/** A filter for claimable jobs, and the index that returns them in claim order. */
export interface DueJobs {
  readonly filter: Filter<JobDocument>;
  /** Filter to use if the index is missing. */
  readonly filterWithoutIndex: Filter<JobDocument>;
  readonly index: Index;
}

/** Returns the jobs that a claim with this filter takes. @param further conditions beside those of each claim */
export function dueJobs(filter: ClaimFilter, further: Filter<JobDocument> = {}): DueJobs {
  const conditions = { ...isDue, ...isOurs, ...further };
  return {
    filter: queuedJobs(filter, conditions),
    filterWithoutIndex: queuedJobs(filter, conditions, isClaimableUnmarked),
    index: claimIndex(filter.queues),
  };
}

/** How often the claim of a single job is repeated after an unknown outcome. */
const MAX_TRIES_OF_ONE = 30;

/** The statements of one claim. All jobs that it takes get its token. */
export class ClaimStatements {
  /** Whether the last search ran without the index. The update then needs the other filter too. */
  #lacksIndex = false;

  constructor(
    private readonly jobs: Collection<JobDocument>,
    private readonly due: DueJobs,
    private readonly lease: LeaseRequest,
  ) {}

  /** Takes the first job by one command. If the outcome is unknown, the token shows whether a job was taken. */
  async takeFirst(tries = 0): Promise<ClaimedJob[]> {
    const { jobs, due, lease } = this;
    const options = { sort: claimOrder, returnDocument: 'after', projection: withoutLog } as const;
    try {
      const first = await byIndex(jobs, due.index, (hint) =>
        jobs.findOneAndUpdate(this.#filterOf(due, hint), takeBy(lease), { ...options, ...hint }),
      );
      return first ? [toClaimedJob(first, lease.token)] : [];
    } catch (error) {
      if (!isUnknownOutcome(error) || tries === MAX_TRIES_OF_ONE) throw error;
      // The index that finds the job needs a condition on its key.
      const leased = { status: 'processing' as const, 'lease.expires': { $gt: new Date(0) } };
      const taken = await this.#readBack(leased, leaseExpiry);
      return taken.length > 0 ? taken : this.takeFirst(tries + 1);
    }
  }

  /** Finds jobs to take, after skipping the first `skip` matches. */
  findCandidates(limit: number, skip: number, due = this.due): Promise<JobDocument[]> {
    const { jobs } = this;
    // Without `batchSize`, the first batch has 101 documents, whatever the limit.
    const options = { sort: claimOrder, projection: withoutLog, limit, skip, batchSize: limit };
    return byIndex(jobs, due.index, (hint) =>
      jobs.find(this.#filterOf(due, hint), { ...options, singleBatch: true, ...hint }).toArray(),
    );
  }

  /**
   * Takes the candidates by one command if all are still available. Otherwise a second command reads back the ones it
   * took. Reading back also resolves an unknown outcome, since the driver does not retry an update of many documents.
   */
  async take(candidates: readonly JobDocument[]): Promise<ClaimedJob[]> {
    if (candidates.length === 0) return [];
    if (await this.#takesAll(candidates))
      return candidates.map((candidate) => asTaken(candidate, this.lease.token));
    return this.#readBack({ _id: { $in: candidates.map(({ _id }) => _id) } }, idIndex);
  }

  /**
   * Takes candidates by an update that repeats every condition of the find and the counters seen there. So a job
   * that was taken, ended and queued again in between is not taken with an outdated copy.
   */
  async #takesAll(candidates: readonly JobDocument[]): Promise<boolean> {
    try {
      const { filter, filterWithoutIndex } = this.due;
      const seen = { $and: [asSeen(candidates), this.#lacksIndex ? filterWithoutIndex : filter] };
      const { modifiedCount } = await this.jobs.updateMany(seen, takeBy(this.lease), byId);
      return modifiedCount === candidates.length;
    } catch (error) {
      if (isUnknownOutcome(error)) return false;
      throw error;
    }
  }

  /**
   * Takes up to `limit` of the first `lookedAt` jobs that match `first` and also match `alike`. Finds them by keys of the
   * index alone, then takes them by one command, and reads back which ones it took. Takes none if the index is missing.
   *
   * @returns the jobs it took, and how many it found
   */
  async takeAmong(
    { first, lookedAt }: { readonly first: Filter<JobDocument>; readonly lookedAt: number },
    alike: Filter<JobDocument>,
    limit: number,
  ): Promise<{ readonly taken: readonly ClaimedJob[]; readonly found: number }> {
    const { jobs, due, lease } = this;
    const window = [{ $match: first }, { $sort: claimOrder }, { $limit: lookedAt }];
    const stages = [...window, { $match: alike }, { $limit: limit }, { $project: { _id: 1 } }];
    const found = await byIndex(jobs, due.index, async ({ hint }) =>
      hint ? jobs.aggregate<{ _id: string }>(stages, { batchSize: limit + 1, hint }).toArray() : [],
    );
    if (found.length === 0) return { taken: [], found: 0 };
    const ids = found.map(({ _id }) => _id);
    const among = { _id: { $in: ids } };
    await jobs.updateMany({ $and: [among, due.filter] }, takeBy(lease), byId).catch((error: unknown) => {
      if (!isUnknownOutcome(error)) throw error;
    });
    const place = new Map(ids.map((id, index) => [id, index]));
    const taken = await this.#readBack(among, idIndex);
    taken.sort((one, other) => (place.get(one.id) ?? 0) - (place.get(other.id) ?? 0));
    return { taken, found: found.length };
  }

  #filterOf({ filter, filterWithoutIndex }: DueJobs, { hint }: IndexHint): Filter<JobDocument> {
    this.#lacksIndex = hint === undefined;
    return this.#lacksIndex ? filterWithoutIndex : filter;
  }

  /** Reads back the jobs with this claim's token. @param index serves the condition `where` */
  async #readBack(where: Filter<JobDocument>, index: Index): Promise<ClaimedJob[]> {
    const { token, leaseMs } = this.lease;
    const mine = { ...where, 'lease.token': token };
    const find = () =>
      byIndex(this.jobs, index, (hint) =>
        this.jobs.find(mine, { projection: withoutLog, ...hint }).toArray(),
      );
    const taken = await retryWhileUnreachable(leaseMs / 2, find);
    return taken.map((document) => toClaimedJob(document, token));
  }
}

/** Returns the update pipeline that takes a job. */
function takeBy({ token, worker, leaseMs }: LeaseRequest): Document[] {
  const lease = {
    token,
    worker: { $literal: worker },
    expires: { $add: ['$$NOW', leaseMs] },
    lengthMs: leaseMs,
  };
  return [
    {
      $set: {
        status: 'processing',
        picked: '$$NOW',
        started: '$$NOW',
        retryCounter: { $add: ['$retryCounter', 1] },
        lease,
        progress: '$$REMOVE',
        claimable: '$$REMOVE',
      },
    },
  ];
}

/**
 * Matches the candidates by id and by the counters seen. The counters change with each attempt, and usually all candidates
 * have the same. An add may have given a job with a unique key another input since, so its last replacement must be the one
 * seen. A job that was put off and is due again has lost its places.
 */
function asSeen(candidates: readonly JobDocument[]): Filter<JobDocument> {
  const armByState = new Map<string, { _id: { $in: string[] }; readonly retryCounter: number }>();
  for (const { _id, retryCounter, givenBackCounter, uniqueKey, replacedBy = null, slots } of candidates) {
    const state = {
      ...{ retryCounter, givenBackCounter },
      ...(uniqueKey !== undefined && { replacedBy }),
      ...(slots !== undefined && { slots: { $exists: true } }),
    };
    const key = Object.values(state).join(' ');
    const arm = armByState.get(key);
    if (arm) arm._id.$in.push(_id);
    else armByState.set(key, { _id: { $in: [_id] }, ...state });
  }
  const arms = [...armByState.values()];
  const [only, ...others] = arms;
  if (only && others.length === 0) return only;
  return { _id: { $in: candidates.map(({ _id }) => _id) }, $or: arms };
}

/** Returns the candidate as the claim has changed it in the database, except for the times of the claim. */
function asTaken(candidate: JobDocument, token: string): ClaimedJob {
  const { progress: _, ...kept } = candidate;
  return toClaimedJob({ ...kept, status: 'processing', retryCounter: candidate.retryCounter + 1 }, token);
}

function toClaimedJob(document: JobDocument, token: string): ClaimedJob {
  const { lease: _, ...job } = toJob(document);
  return { ...job, token };
}
