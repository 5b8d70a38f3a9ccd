import { offsetAt } from '../time-zone.js';
import { remembering } from './remembering.js';

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/**
 * A stretch of time, from `start` to before `end`, in which a zone's clock is not set forward or back. At most one
 * day of UTC, so that one that never ends needs no end. Offsets are those of `offsetAt`.
 */
export interface ZonePeriod {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
  /** The offset right before the start. It differs when the clock was set at the start. */
  readonly offsetBefore: number;
}

/** The period of a moment. @throws RangeError for an unknown zone */
export function periodAt(timeZone: string, moment: number): ZonePeriod {
  const { beginning, change, rest } = daysOf(timeZone)(Math.floor(moment / DAY_MS));
  return moment < change ? beginning : rest;
}

/** A day of UTC: from `change` on, which may be its end, another period. */
interface Day {
  readonly beginning: ZonePeriod;
  readonly change: number;
  readonly rest: ZonePeriod;
}

/** The days of one year, or of as many items as are due on days of their own. */
const DAYS_PER_ZONE = 400;

const daysOf = remembering(600, (timeZone: string) =>
  remembering(DAYS_PER_ZONE, (day: number) => readDay(timeZone, day * DAY_MS)),
);

/** A clock is set at most once a day: in all zones since 1965, changes lie a week apart or more. */
function readDay(timeZone: string, start: number): Day {
  const end = start + DAY_MS;
  const offset = offsetAt(timeZone, start);
  const offsetAtEnd = offsetAt(timeZone, end - SECOND_MS);
  const change = offset === offsetAtEnd ? end : findChange(timeZone, start, end);
  return {
    beginning: { start, end: change, offset, offsetBefore: offsetAt(timeZone, start - SECOND_MS) },
    change,
    rest: { start: change, end, offset: offsetAtEnd, offsetBefore: offset },
  };
}

/** The first moment with the later offset, found by halving. Clocks are set at whole seconds. */
function findChange(timeZone: string, start: number, end: number): number {
  const offset = offsetAt(timeZone, start);
  let [before, after] = [start, end];
  while (after - before > SECOND_MS) {
    const middle = Math.floor((before + after) / 2 / SECOND_MS) * SECOND_MS;
    if (offsetAt(timeZone, middle) === offset) before = middle;
    else after = middle;
  }
  return after;
}
