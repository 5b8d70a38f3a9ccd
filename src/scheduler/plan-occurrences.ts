import { occurrencesLeft, type SchedulerItemDocument } from './item.js';
import { nextCallTime } from './next-call-time.js';

/**
 * How late an occurrence may be before it counts as missed. `catchUp: 'none'` drops missed ones, and `'once'` makes one job for
 * all of them. A tick each minute misses none, even if it is sometimes late.
 */
export const MISSED_AFTER_MS = 90_000;

export function isMissed(at: Date, now: Date): boolean {
  return now.getTime() - at.getTime() > MISSED_AFTER_MS;
}

export interface Plan {
  /** The occurrences that get a job, oldest first. */
  readonly made: readonly Date[];
  /** The number of occurrences that get no job because a previous job is not settled. */
  readonly skipped: number;
  /** The next occurrence, or null if none is left. */
  readonly next: Date | null;
  /** True if the limit was reached before all occurrences of this tick had a job. */
  readonly isCut: boolean;
}

export interface Tick {
  /** The database's now. */
  readonly now: Date;
  /** Jobs are made ahead for occurrences up to this moment. */
  readonly horizon: Date;
  /** Maximum number of occurrences per item, at least 1. */
  readonly limit: number;
}

/** An active item that has an occurrence left. */
export type WaitingItem = SchedulerItemDocument & { readonly nextCallTime: Date };

/**
 * Plans which occurrences of an item get their jobs now. The item is due, or will be before the horizon.
 *
 * An overlap with the previous job shows only when the occurrence is due. So with `overlap: 'skip'`, no job is made ahead of
 * time.
 *
 * @param isBusy whether the job of the item's last occurrence is unsettled
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

/**
 * Returns two occurrences: the missed one whose job stands for all missed ones, if any, and the first one with a job of its
 * own.
 */
function catchUp(item: WaitingItem, now: Date): { readonly missed?: Date; readonly from: Date | null } {
  const next = item.nextCallTime;
  if (item.catchUp === 'all' || !isMissed(next, now)) return { from: next };
  const lastMissed = new Date(now.getTime() - MISSED_AFTER_MS - 1);
  const from = nextCallTime(item, next, lastMissed);
  return item.catchUp === 'once' ? { missed: next, from } : { from };
}
