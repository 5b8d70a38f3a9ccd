import { occurrencesLeft, type SchedulerItemDocument } from './item.js';
import { nextCallTime } from './next-call-time.js';

/**
 * Later than this an occurrence counts as missed: `catchUp: 'none'` drops it, and `'once'` makes one job for all that
 * are. A tick each minute, that comes late once in a while, misses nothing.
 */
export const MISSED_AFTER_MS = 90_000;

/** Whether an occurrence at this moment is missed. */
export function isMissed(at: Date, now: Date): boolean {
  return now.getTime() - at.getTime() > MISSED_AFTER_MS;
}

/** What becomes of an item at one tick. */
export interface Plan {
  /** The occurrences that get a job, oldest first. */
  readonly made: readonly Date[];
  /** How many get none, since the job of the one before is not settled. */
  readonly skipped: number;
  /** The next occurrence; null when there is none any more. */
  readonly next: Date | null;
  /** The limit was reached: `next` is to be made in this tick as well. */
  readonly isCut: boolean;
}

export interface Tick {
  /** By the database's clock. */
  readonly now: Date;
  /** Up to here occurrences are made ahead. */
  readonly horizon: Date;
  /** Of occurrences, per item. At least 1. */
  readonly limit: number;
}

/** An item that is active and not at its end. */
export type WaitingItem = SchedulerItemDocument & { readonly nextCallTime: Date };

/**
 * Which occurrences of an item that is due, or will be before the horizon, get their jobs now.
 *
 * Whether an occurrence overlaps the one before is known only when it is due: such items are not made ahead.
 *
 * @param isBusy whether the job of the item's last occurrence is not settled
 */
export function planOccurrences(item: WaitingItem, { now, horizon, limit }: Tick, isBusy: boolean): Plan {
  const isExclusive = item.overlap === 'skip';
  const until = isExclusive ? now : horizon;
  const { missed, from } = catchUp(item, now);
  const due = missed ? [missed] : [];
  let next = from;
  while (next !== null && next <= until && due.length < limit) {
    due.push(next);
    next = nextCallTime(item, next);
  }
  const left = occurrencesLeft(item);
  const made = due.slice(0, isExclusive ? Math.min(left, isBusy ? 0 : 1) : left);
  const hasEnded = made.length >= left;
  return {
    made,
    skipped: isExclusive && !hasEnded ? due.length - made.length : 0,
    next: hasEnded ? null : next,
    isCut: !hasEnded && next !== null && next <= until,
  };
}

/** Which one stands for those that were missed, and from which on each gets its job. */
function catchUp(item: WaitingItem, now: Date): { readonly missed?: Date; readonly from: Date | null } {
  const next = item.nextCallTime;
  if (item.catchUp === 'all' || !isMissed(next, now)) return { from: next };
  const lastMissed = new Date(now.getTime() - MISSED_AFTER_MS - 1);
  const from = nextCallTime(item, next, lastMissed);
  return item.catchUp === 'once' ? { missed: next, from } : { from };
}
