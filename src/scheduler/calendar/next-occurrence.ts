import { nextMatch } from './next-match.js';
import type { Pattern } from './pattern.js';
import { periodAt } from './zone-period.js';

/** More than a zone is ahead of or behind UTC, and than a clock was ever set, a day, together. */
const FAR_MS = 2 * 86_400_000;

/**
 * The first moment after `after` at which a pattern is due in a time zone; undefined when there is none. Moments are
 * milliseconds since the epoch. Each call with the answer of the one before gives a later moment.
 *
 * When the clock is set forward or back, this does what Vixie cron documents (crontab(5), cron(8)):
 *
 * - Set times (`isOpen` is false) are due at the first moment at which the clock shows that time *or a later one*. So
 *   one that is skipped is due at the end of the gap, once for all that are skipped; and one that comes twice is due
 *   the first time only.
 * - An open pattern (`*` in minute or hour) is due whenever the clock shows a time that matches: twice for a time
 *   that comes twice, never for one that is skipped.
 *
 * Vixie cron does so for changes of less than three hours. Here the length does not matter: where a whole day was
 * skipped (Pacific/Apia, 30 December 2011), set times of that day are due as the next day begins. To skip the run of
 * a month in silence is the worse mistake.
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
 * Without going through all the days before a match that is far away. But a clock that is set back soon after `after`
 * shows times again that come before the match, so the days right after it are not left out.
 */
function nextToLookAt(end: number, after: number, wall: number): number {
  return end < after + FAR_MS ? end : Math.max(end, wall - FAR_MS);
}
