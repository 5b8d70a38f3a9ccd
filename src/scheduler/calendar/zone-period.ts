import { offsetAt } from '../time-zone.js';
import { remembering } from './remembering.js';

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/**
 * A stretch of time, from `start` to before `end`, in which a zone's clock is not set. It lasts at most one day of UTC, so
 * that an endless stretch needs no special end. Moments are milliseconds since the epoch. Wall-clock times are what the
 * clock shows, as if in UTC.
 */
export interface ZonePeriod {
  readonly start: number;
  readonly end: number;
  /** The difference from a moment to its wall-clock time. See `offsetAt`. */
  readonly offset: number;
  /**
   * The wall-clock time that was next before the start, or a later one from which the clock was set back. All earlier times
   * have been shown or skipped.
   */
  readonly passed: number;
}

/** Returns the period of a moment. @throws RangeError for an unknown zone */
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
  /** The moment at which the clock is set, or the end of the day. */
  readonly change: number;
  readonly offsetAtEnd: number;
}

/** Returns the time passed by the end of a day. A clock is set back by a day at most, so the day after has caught up. */
function passedBy({ change, offset, end, offsetAtEnd }: Day): number {
  return Math.max(change + offset, end + offsetAtEnd);
}

/** Some 600 zones, including old names, and the days of a year, or of as many items due on different days. */
const daysOf = remembering(600, (timeZone: string) =>
  remembering(400, (number: number) => readDay(timeZone, number * DAY_MS)),
);

/** Reads a day. In all zones since 1965, changes lie a week or more apart, so a clock is set at most once a day. */
function readDay(timeZone: string, start: number): Day {
  const end = start + DAY_MS;
  const offset = offsetAt(timeZone, start);
  const offsetAtEnd = offsetAt(timeZone, end - SECOND_MS);
  const change = offset === offsetAtEnd ? end : findChange(timeZone, start, end);
  return { start, end, offset, change, offsetAtEnd };
}

/** Finds by halving the first moment whose offset differs from the start's. Clocks are set at whole seconds. */
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
