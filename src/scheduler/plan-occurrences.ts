import type { SchedulerItemDocument } from './item.js';
import { nextCallTime } from './next-call-time.js';

/**
 * Later than this an occurrence counts as missed, and `catchUp: 'none'` drops it. A tick each minute, that comes late
 * once in a while, misses nothing.
 */
export const MISSED_AFTER_MS = 90_000;

/** What becomes of an item at one tick. */
export interface Plan {
  /** The occurrences that get a job, oldest first. */
  readonly made: readonly Date[];
  /** How many get none, since the job of the one before is not settled. */
  readonly skipped: number;
  /** The next occurrence; null when there is none any more. */
  readonly next: Date | null;
  /** The limit was reached: `next` is due as well. */
  readonly isCut: boolean;
}

export interface Tick {
  /** By the database's clock. */
  readonly now: Date;
  /** Up to here occurrences are made ahead. */
  readonly horizon: Date;
  /** Of occurrences, per item. */
  readonly limit: number;
}

/**
 * Which occurrences of an item that is due, or will be before the horizon, get their jobs now.
 *
 * Whether an occurrence overlaps the one before is known only when it is due: such items are not made ahead.
 *
 * @param isBusy whether the job of the item's last occurrence is not settled
 */
export function planOccurrences(
  item: SchedulerItemDocument & { readonly nextCallTime: Date },
  { now, horizon, limit }: Tick,
  isBusy: boolean,
): Plan {
  const left = Math.max(0, (item.maxOccurrences ?? Number.POSITIVE_INFINITY) - item.occurrences);
  const until = item.overlap === 'skip' ? now : horizon;
  const due: Date[] = [];
  let next: Date | null = item.nextCallTime;
  if (next <= now && item.catchUp !== 'all') {
    const isMissed = now.getTime() - next.getTime() > MISSED_AFTER_MS;
    if (item.catchUp !== 'none' || !isMissed) due.push(next);
    next = nextCallTime(item, next, now);
  }
  while (next !== null && next <= until && due.length < Math.min(limit, left)) {
    due.push(next);
    next = nextCallTime(item, next);
  }
  const isCut = next !== null && next <= until;
  const made = due.slice(0, item.overlap === 'skip' ? Math.min(left, isBusy ? 0 : 1) : left);
  return {
    made,
    skipped: item.overlap === 'skip' ? due.length - made.length : 0,
    next: made.length >= left ? null : next,
    isCut,
  };
}
