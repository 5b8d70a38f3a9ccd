import { offsetAt } from '../time-zone.js';
import { remembering } from './remembering.js';

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/**
 * A period, from `start` to before `end`, without a change of a zone's clock. It lasts at most one UTC day, so a period without
 * end needs no special case. Moments are in milliseconds since the epoch. Wall-clock times are the clock's display, read as if
 * in UTC.
 */
export interface ZonePeriod {
  readonly start: number;
  readonly end: number;
  /** Wall-clock time minus moment. See `offsetAt`. */
  readonly offset: number;
  /**
   * The latest wall-clock time that the clock showed before the start. If the clock was set back since, this time stays. Every
   * earlier time has been shown or skipped.
   */
  readonly passed: number;
}

/** Returns the period that contains a moment. @throws RangeError for an unknown zone */
export function periodAt(timeZone: string, moment: number): ZonePeriod {
  const dayOf = daysOf(timeZone);
  const number = Math.floor(moment / DAY_MS);
  const { start, change, end, offset, offsetAtEnd } = dayOf(number);
  return moment < change
    ? { start, end: change, offset, passed: passedBy(dayOf(number - 1)) }
    : { start: change, end, offset: offsetAtEnd, passed: change + offset };
}

interface Day {
  readonly start: number;
  readonly end: number;
  /** The offset before `change`. */
  readonly offset: number;
  /** The moment when the clock is changed, or the end of the day. */
  readonly change: number;
  readonly offsetAtEnd: number;
}

/**
 * Returns the latest wall-clock time reached by the end of a day. A clock is set back by a day at most, so no earlier
 * day reached a later time.
 */
function passedBy({ change, offset, end, offsetAtEnd }: Day): number {
  return Math.max(change + offset, end + offsetAtEnd);
}

/** Remembers the days of each zone. The limits suffice for all 600 zones, including old names, and for 400 days each. */
const daysOf = remembering(600, (timeZone: string) =>
  remembering(400, (number: number) => readDay(timeZone, number * DAY_MS)),
);

/**
 * Reads the changes of a day. There is at most one per day, since all changes in all zones since 1965 are a week or more apart.
 */
function readDay(timeZone: string, start: number): Day {
  const end = start + DAY_MS;
  const offset = offsetAt(timeZone, start);
  const offsetAtEnd = offsetAt(timeZone, end - SECOND_MS);
  const change = offset === offsetAtEnd ? end : findChange(timeZone, start, end);
  return { start, end, offset, change, offsetAtEnd };
}

/**
 * Finds, by bisection, the first moment whose offset differs from that at the start. Clocks are changed at whole
 * seconds.
 */
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
