import { setTimeout as wait } from 'node:timers/promises';
import type { Collection, Filter } from 'mongodb';
import { type ClaimPlace, ClaimSpread } from './claim-spread.js';
import { ClaimStatements, type DueJobs, type LeaseRequest } from './claim-statements.js';
import { heldBackJobs } from './indexes.js';
import type { ClaimedJob, JobDocument } from './job.js';
import {
  type ClaimFilter,
  claimIndex,
  heldBack,
  highestPriority,
  isClaimableUnmarked,
  isCounted,
  isDue,
  queuedJobs,
  takesNothing,
} from './queued-jobs.js';

/** Nearly each means that somebody else took jobs; so many in a row do not happen, but would be no reason to hang. */
const MAX_TRIES = 30;

/** Between two tries: about as long as a claim takes. */
const MAX_BACKOFF_MS = 10;

/**
 * Claims up to `limit` due jobs: higher priority first, then earlier `runAt`, then `_id`.
 *
 * One command for a single job; two for any number: find candidates; take them by one conditional update. Whoever comes
 * second takes less than it found, reads back by token what it did take (a third command), and tries again for the rest:
 * so fewer than `limit` means that no more are due, or that a later try failed.
 *
 * @param spread of this worker: what it remembers of others that claim as well
 */
export async function claimJobs(
  jobs: Collection<JobDocument>,
  filter: ClaimFilter,
  lease: LeaseRequest,
  limit: number,
  spread = new ClaimSpread(),
): Promise<ClaimedJob[]> {
  if (takesNothing(filter)) return [];
  const claim = new ClaimStatements(jobs, dueJobs(filter), lease);
  if (limit === 1) return claim.takeFirst();
  const claimed: ClaimedJob[] = [];
  for (let tries = 0; tries < MAX_TRIES && claimed.length < limit; tries += 1) {
    try {
      const { taken, isLast } = await claimAtPlace(claim, filter, limit - claimed.length, spread);
      claimed.push(...taken);
      if (isLast) break;
    } catch (error) {
      // What was taken before has to be run: nobody else would until its lease has expired, and that uses up an attempt.
      if (claimed.length === 0) throw error;
      break;
    }
  }
  return claimed;
}

/** Tries once, at the place that `spread` gives. `isLast`: no more are to be had. */
async function claimAtPlace(
  claim: ClaimStatements,
  filter: ClaimFilter,
  wanted: number,
  spread: ClaimSpread,
): Promise<{ readonly taken: readonly ClaimedJob[]; readonly isLast: boolean }> {
  const { place, size } = spread.next(wanted);
  const candidates = await findCandidates(claim, filter, { place, size }, spread);
  const taken = await claim.take(candidates);
  if (taken.length < candidates.length) {
    spread.lost();
    await wait(Math.random() * MAX_BACKOFF_MS);
    return { taken, isLast: false };
  }
  if (taken.length > 0) spread.won();
  return { taken, isLast: candidates.length < size && place === 0 };
}

/**
 * Finds the jobs at a place, and before them the more urgent ones that it would pass over: one more command where others
 * claim as well, and only there. Among jobs of one priority order matters less than that claims do not meet.
 *
 * The two commands go out together, since the jobs are likely to have the priority of those that were found last. If they
 * have another one, the more urgent jobs are looked for again.
 */
async function findCandidates(
  claim: ClaimStatements,
  filter: ClaimFilter,
  { place, size }: ClaimPlace,
  spread: ClaimSpread,
): Promise<JobDocument[]> {
  const findMoreUrgent = async (priority: number) =>
    place === 0 || priority === highestPriority
      ? []
      : claim.findCandidates(size, 0, dueJobs(filter, { priority: { $gt: priority } }));
  const { priority: expected } = spread;
  const [there, expectedlyUrgent] = await Promise.all([
    claim.findCandidates(size, place * size),
    findMoreUrgent(expected),
  ]);
  if (there.length < size) spread.endsAfter(there.length > 0 ? place + 1 : place);
  const [{ priority } = { priority: expected }] = there;
  spread.priority = priority;
  const moreUrgent = priority === expected ? expectedlyUrgent : await findMoreUrgent(priority);
  return [...moreUrgent, ...there].slice(0, size);
}

/**
 * Claims one of the jobs that claims do not see, which are those that were lost with their worker, in the order of claims:
 * for a worker that runs nothing else meanwhile. One command.
 *
 * @param filter without the queues that are paused
 */
export async function claimJobAlone(
  jobs: Collection<JobDocument>,
  filter: ClaimFilter,
  lease: LeaseRequest,
): Promise<ClaimedJob[]> {
  if (takesNothing(filter)) return [];
  const alone = queuedJobs(filter, isDue, heldBack);
  const due = { filter: alone, filterWithoutIndex: alone, index: heldBackJobs };
  return new ClaimStatements(jobs, due, lease).takeFirst();
}

function dueJobs(filter: ClaimFilter, further: Filter<JobDocument> = {}): DueJobs {
  const conditions = { ...isDue, ...isCounted, ...further };
  return {
    filter: queuedJobs(filter, conditions),
    filterWithoutIndex: queuedJobs(filter, conditions, isClaimableUnmarked),
    index: claimIndex(filter.queues),
  };
}
