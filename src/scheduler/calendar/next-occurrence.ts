import { nextMatch } from './next-match.js';
import type { Pattern } from './pattern.js';
import { periodAt } from './zone-period.js';

/** Longer than a zone's largest offset from UTC plus the largest change of a clock, which is a day. */
const FAR_MS = 2 * 86_400_000;

/**
 * Returns the first moment after `after` at which a pattern is due in a time zone, or undefined. Moments are milliseconds since
 * the epoch. The result is always later than `after`.
 *
 * When the clock is set forward or back, this does what Vixie cron documents (crontab(5), cron(8)):
 *
 * - Set times (`isOpen` is false) are due when the clock first shows that time *or a later one*. Skipped times are due at the
 *   end of the gap, once for all of them. A time that comes twice is due only the first time.
 * - An open pattern (`*` in minute or hour) is due whenever the clock shows a matching time. A time that comes twice is due
 *   twice, and a skipped one never.
 *
 * Vixie cron does so for changes of less than three hours. This function does so for any change. In Pacific/Apia, a whole day
 * was skipped (30 December 2011). Set times of such a day are due when the next day begins, because silently skipping a monthly
 * run would be worse.
 *
 * @throws RangeError for an unknown zone
 */
export function nextOccurrence(pattern: Pattern, timeZone: string, after: number): number | undefined {
  let period = periodAt(timeZone, after);
  let from = after + 1 + period.offset;
  if (!pattern.isOpen) from = Math.max(from, period.passed);
  for (;;) {
    const wall = nextMatch(pattern, from);
    if (wall === undefined) return undefined;
    const moment = Math.max(wall - period.offset, period.start);
    if (moment < period.end) return moment;
    period = periodAt(timeZone, nextToLookAt(period.end, after, wall));
    from = pattern.isOpen ? period.start + period.offset : period.passed;
  }
}

/**
 * Skips the days before a distant match. Does not skip the days right after `after`: if the clock is set back there, earlier
 * times come again.
 */
function nextToLookAt(end: number, after: number, wall: number): number {
  return end < after + FAR_MS ? end : Math.max(end, wall - FAR_MS);
}
