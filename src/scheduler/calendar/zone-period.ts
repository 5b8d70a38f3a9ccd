import { offsetAt } from '../time-zone.js';
import { remembering } from './remembering.js';

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/**
 * A stretch of time, from `start` to before `end`, in which a zone's clock is not set forward or back. At most one
 * day of UTC, so that one that never ends needs no end. Moments are milliseconds since the epoch, times on the wall
 * are what the clock shows, as if that were UTC.
 */
export interface ZonePeriod {
  readonly start: number;
  readonly end: number;
  /** From a moment to its time on the wall: see `offsetAt`. */
  readonly offset: number;
  /**
   * The time on the wall that was just about to be reached before the start, or a later one from which the clock has
   * been set back: earlier ones have all been shown, or skipped.
   */
  readonly passed: number;
}

/** The period of a moment. @throws RangeError for an unknown zone */
export function periodAt(timeZone: string, moment: number): ZonePeriod {
  const dayOf = daysOf(timeZone);
  const number = Math.floor(moment / DAY_MS);
  const { start, change, end, offset, offsetAtEnd } = dayOf(number);
  return moment < change
    ? { start, end: change, offset, passed: passedBy(dayOf(number - 1)) }
    : { start: change, end, offset: offsetAtEnd, passed: change + offset };
}

/** One day of UTC. */
interface Day {
  readonly start: number;
  readonly end: number;
  /** Before `change`. */
  readonly offset: number;
  /** When the clock is set; the end when it is not. */
  readonly change: number;
  readonly offsetAtEnd: number;
}

/** By the end of a day. A clock that is set back is so by a day at most: then the day after has caught up. */
function passedBy({ change, offset, end, offsetAtEnd }: Day): number {
  return Math.max(change + offset, end + offsetAtEnd);
}

/** Some 600 zones, with their old names; the days of a year, or of as many items that are due on days of their own. */
const daysOf = remembering(600, (timeZone: string) =>
  remembering(400, (number: number) => readDay(timeZone, number * DAY_MS)),
);

/** A clock is set at most once a day: in all zones since 1965, changes lie a week apart or more. */
function readDay(timeZone: string, start: number): Day {
  const end = start + DAY_MS;
  const offset = offsetAt(timeZone, start);
  const offsetAtEnd = offsetAt(timeZone, end - SECOND_MS);
  const change = offset === offsetAtEnd ? end : findChange(timeZone, start, end);
  return { start, end, offset, change, offsetAtEnd };
}

/** The first moment with another offset than at the start, found by halving. Clocks are set at whole seconds. */
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
