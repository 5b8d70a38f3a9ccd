import { setTimeout as wait } from 'node:timers/promises';
import type { Collection, Filter } from 'mongodb';
import { type ClaimPlace, ClaimSpread } from './claim-spread.js';
import { ClaimStatements, type DueJobs, type LeaseRequest } from './claim-statements.js';
import { heldBackJobs } from './indexes.js';
import type { ClaimedJob, JobDocument } from './job.js';
import {
  anyPriority,
  type ClaimFilter,
  claimIndex,
  heldBack,
  highestPriority,
  isClaimable,
  isClaimableUnmarked,
  isDue,
  isOurs,
  queuedJobs,
  takesNothing,
} from './queued-jobs.js';

/**
 * Maximum number of tries. A try that finds jobs but takes fewer has met another worker. Where workers compete, a large
 * claim is split into several tries on purpose. The limit keeps a claim from going on for long.
 */
const MAX_TRIES = 30;

/** Maximum wait between two tries, about as long as a claim takes. */
const MAX_BACKOFF_MS = 10;

/**
 * Claims up to `limit` due jobs: higher priority first, then earlier `runAt`, then `_id`.
 *
 * A single job costs one command, any other number two: find candidates, then take them by one conditional update. A
 * worker that comes second takes fewer than it found. It reads back by token which ones it took (a third command) and
 * tries again for the rest. So fewer than `limit` means that no more are due, that a later try failed, that the tries were
 * used up, or that some of the jobs are urgent, which begin before the worker asks for the rest.
 *
 * Where workers compete, each try begins at a random place near the head of the queue: see ClaimSpread.
 *
 * @param spread what this worker remembers of other claimers
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
  spread.stoppedEarly = false;
  if (limit === 1) return claim.takeFirst();
  const claimed: ClaimedJob[] = [];
  for (let tries = 0; tries < MAX_TRIES && claimed.length < limit; tries += 1) {
    try {
      const { taken, isLast } = await claimAtPlace(claim, filter, limit - claimed.length, spread);
      claimed.push(...taken);
      if (isLast) break;
      spread.stoppedEarly = areSomeUrgent(taken);
      if (spread.stoppedEarly) break;
    } catch (error) {
      // Jobs taken before must run: no other worker can until their leases expire, and that uses up an attempt.
      if (claimed.length === 0) throw error;
      break;
    }
  }
  return claimed;
}

/** Returns whether some of the taken jobs are more urgent than others that are due. They must not wait for more tries. */
function areSomeUrgent(taken: readonly ClaimedJob[]): boolean {
  return taken.some(({ priority }) => priority !== taken[0]?.priority);
}

/** Tries once at the place that `spread` gives. `isLast` means that no more jobs are available. */
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
 * Finds the jobs at a place, preceded by the more urgent jobs that a claim there would pass over. This costs one more
 * command, and only where others claim as well. Among jobs of the same priority, keeping claims apart matters more than
 * order.
 *
 * Both commands are sent together, because these jobs probably have the priority of those found last. If they have
 * another priority, the more urgent jobs are looked up again.
 */
async function findCandidates(
  claim: ClaimStatements,
  filter: ClaimFilter,
  { place, size }: ClaimPlace,
  spread: ClaimSpread,
): Promise<JobDocument[]> {
  const findMoreUrgent = async (priority: number) => {
    if (place === 0 || priority === highestPriority) return []; // None are passed over.
    return claim.findCandidates(size, 0, dueJobs(filter, { priority: { $gt: priority } }));
  };
  const guess = spread.priority;
  const [found, urgentByGuess] = await Promise.all([
    claim.findCandidates(size, place * size),
    findMoreUrgent(guess),
  ]);
  if (found.length < size) spread.endsAfter(found.length > 0 ? place + 1 : place);
  const priority = found[0]?.priority ?? guess;
  spread.priority = priority;
  const moreUrgent = priority === guess ? urgentByGuess : await findMoreUrgent(priority);
  return [...moreUrgent, ...found].slice(0, size);
}

/**
 * Claims one of the jobs that other claims do not see: those that were lost with their worker, and those of an earlier
 * version that are not marked yet. The worker must run nothing else meanwhile. Jobs come in the usual order. Costs one
 * command.
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

/** How many jobs are looked at for each that a batch can take. Bounds the cost where other kinds wait in between. */
const LOOKED_AT_PER_JOB = 10;

/** How often a batch is filled again after other workers took some of its jobs. */
const MAX_TRIES_ALIKE = 5;

/**
 * Claims up to `limit` jobs of one kind and one queue for a batch, as far as they are among the next jobs of the queue.
 * Costs three commands, or one if there are none. Looks at up to ten index keys for each job, however many others wait.
 *
 * @param filter with one name and one queue
 */
export async function claimAlike(
  jobs: Collection<JobDocument>,
  filter: ClaimFilter,
  lease: LeaseRequest,
  limit: number,
): Promise<ClaimedJob[]> {
  if (takesNothing(filter)) return [];
  const { jobNames, queues = [] } = filter;
  const first = { ...isClaimable, queue: { $in: [...queues] }, priority: anyPriority, ...isDue };
  const claim = new ClaimStatements(jobs, dueJobs(filter), lease);
  const alike = { jobName: { $in: [...jobNames] } };
  return untilUndisputed(limit, (wanted) =>
    claim.takeAmong({ first, lookedAt: wanted * LOOKED_AT_PER_JOB }, alike, wanted),
  );
}

/** Tries again while other workers take some of the jobs that were found. */
async function untilUndisputed(
  limit: number,
  take: (wanted: number) => Promise<{ readonly taken: readonly ClaimedJob[]; readonly found: number }>,
): Promise<ClaimedJob[]> {
  const claimed: ClaimedJob[] = [];
  for (let tries = 0; tries < MAX_TRIES_ALIKE && claimed.length < limit; tries += 1) {
    try {
      const { taken, found } = await take(limit - claimed.length);
      claimed.push(...taken);
      if (taken.length === found) break;
      await wait(Math.random() * MAX_BACKOFF_MS);
    } catch (error) {
      if (claimed.length === 0) throw error;
      break; // The jobs taken before must run, as above.
    }
  }
  return claimed;
}

function dueJobs(filter: ClaimFilter, further: Filter<JobDocument> = {}): DueJobs {
  const conditions = { ...isDue, ...isOurs, ...further };
  return {
    filter: queuedJobs(filter, conditions),
    filterWithoutIndex: queuedJobs(filter, conditions, isClaimableUnmarked),
    index: claimIndex(filter.queues),
  };
}
