import { setTimeout as wait } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import { type ClaimPlace, ClaimSpread } from './claim-spread.js';
import { ClaimStatements, dueJobs, type LeaseRequest } from './claim-statements.js';
import type { ClaimedJob, JobDocument } from './job.js';
import { type ClaimFilter, highestPriority, takesNothing } from './queued-jobs.js';

/**
 * Maximum number of tries. A try that finds jobs but takes fewer has met another worker. Where workers compete, a large
 * claim is split into several tries on purpose. The limit keeps a claim from going on for long.
 */
const MAX_TRIES = 30;

/** Maximum wait between two tries, about as long as a claim takes. */
export const MAX_BACKOFF_MS = 10;

/**
 * Claims up to `limit` due jobs: higher priority first, then earlier `runAt`, then `_id`.
 *
 * A single job costs one command, any other number two: find candidates, then take them by one conditional update. A worker
 * that comes second takes fewer than it found. It reads back by token which ones it took (a third command) and tries again
 * for the rest. A claim takes fewer than `limit` for one of four reasons: no more are due, a later try failed, the tries
 * were used up, or some jobs are urgent. Urgent jobs begin before the worker asks for the rest.
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

/**
 * Returns whether some of the taken jobs are more urgent than others that are due. Urgent jobs must not wait for more
 * tries.
 */
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
 * Finds the jobs at a place. Puts the more urgent jobs first, which a claim there would pass over. The search for them
 * costs one more command, and only where others claim as well. Among jobs of the same priority, keeping claims apart
 * matters more than order.
 *
 * Both commands are sent together. They assume that the jobs at the place have the priority of the jobs found last. If the
 * priority is another one, the more urgent jobs are looked up again.
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
