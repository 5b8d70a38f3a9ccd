import { type Case, casesOf, type Holder, holds, lastEnd } from '../cases.js';
import type { Evidence, Run, Sighting, Violation } from '../evidence.js';

/**
 * Checks invariant 2. Finds three violations that the ledger can prove, all by the database's clock:
 *
 * - a lease was taken although the job had not been requeued since another run took it, or that run was seen to hold it
 *   later
 * - a function was called after its lease had ended
 * - a valid lease ended while its run was under way, so that somebody else ended it
 */
export function oneLeaseAtATime(evidence: Evidence): Violation[] {
  return casesOf(evidence).flatMap((one) => [
    ...takenWhileHeld(one),
    ...calledWithoutLease(one),
    ...endedByAnother(one),
  ]);
}

/** The longest delay of a note about a signal. A worker may decide as soon as the signal fires. */
const LATE_NOTE_MS = 500;

function takenWhileHeld({ job, holders }: Case): Violation[] {
  return holders.flatMap((later, index) =>
    holders
      .slice(0, index)
      .filter((earlier) => later.began.queued < earlier.picked || later.picked < earlier.held)
      .map((earlier) => ({
        rule: 'overlap',
        message: `Two runs of job ${job._id} held a lease at once.`,
        documents: [earlier.run, later.run, job],
      })),
  );
}

/** Finds functions called without a lease. `settledIsFinal` reports those whose job was settled by then. */
function calledWithoutLease({ job, runs }: Case): Violation[] {
  return runs
    .filter((run) => run.began && !holds(run, run.began) && isUnsettled(run.began))
    .filter((run) => run.began && lastEnd(run.began) < run.notBefore)
    .map((run) => ({
      rule: 'overlap',
      message: `A run of job ${job._id} began after it had lost its lease.`,
      documents: [run, job],
    }));
}

function isUnsettled({ status }: Sighting): boolean {
  return status === 'queued' || status === 'processing';
}

function endedByAnother({ job, holders }: Case): Violation[] {
  return holders.flatMap((holder, index) => {
    const next = holders[index + 1]?.began ?? job;
    const end = endOf(holder, next);
    if (end === undefined || end >= holder.expires || endedItself(holder.run, end)) return [];
    if (suspendedItself(holder, next, end)) return [];
    return {
      rule: 'fencing',
      message: `The lease of a run of job ${job._id} was ended by another at ${end.toISOString()}.`,
      documents: [holder.run, holders[index + 1]?.run, job],
    };
  });
}

/**
 * Returns a time by which the holder's lease had ended, judged by a later sighting. Undefined if it is still the last
 * lease.
 */
function endOf(
  { picked }: Holder,
  next: Pick<Sighting, 'status' | 'completed' | 'queued'>,
): Date | undefined {
  const end = lastEnd(next);
  return end < picked ? undefined : end;
}

/** Returns whether the function had ended, or had been told to stop so that its worker decided without it. */
function endedItself({ ended, aborted }: Run, end: Date): boolean {
  const abortedBy = end.getTime() + LATE_NOTE_MS;
  if (aborted && aborted.why !== 'lease lost' && aborted.at.getTime() <= abortedBy) return true;
  return ended !== undefined && (ended.sighting === null || ended.sighting.at <= end);
}

/** Returns whether the run ended between two steps. Its function then notes no end, since it never goes on. */
function suspendedItself({ picked }: Holder, { steps }: Pick<Sighting, 'steps'>, end: Date): boolean {
  return steps?.waits?.some(({ began }) => picked <= began && began <= end) ?? false;
}
