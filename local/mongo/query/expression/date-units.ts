import { CommandError } from '../../errors.js';
import { fromCalendar, plusMonths } from './date-parts.js';
import { fromWall, offsetAt, toWall } from './time-zone.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MILLIS: Readonly<Record<string, number>> = { hour: HOUR, minute: 60_000, second: 1000, millisecond: 1 };
const MONTHS: Readonly<Record<string, number>> = { month: 1, quarter: 3, year: 12 };
const DAYS: Readonly<Record<string, number>> = { day: 1, week: 7 };
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
/** The moment from which `$dateTrunc` counts its bins, in the given time zone. */
const REFERENCE = Date.UTC(2000, 0, 1);

/**
 * Returns a time some units later. Days and longer units keep the zone's time of day. If the month lacks the day, returns
 * the last day of the month.
 */
export function shiftDate(date: Date, unit: string, amount: number, zone: string | undefined): Date {
  const millis = MILLIS[unit];
  if (millis !== undefined) return new Date(date.getTime() + amount * millis);
  const wall = toWall(zone, date.getTime());
  const days = DAYS[unit];
  if (days !== undefined) return fromWall(zone, wall.getTime() + amount * days * DAY);
  return fromWall(zone, plusMonths(wall, amount * monthsOf(unit)));
}

/** Counts the boundaries of a unit between two times. */
export function dateDifference(
  start: Date,
  end: Date,
  unit: string,
  zone: string | undefined,
  weekStart: number,
): number {
  if (MILLIS[unit] !== undefined) return differenceOfTime(start, end, unit, zone);
  const from = toWall(zone, start.getTime());
  const to = toWall(zone, end.getTime());
  if (unit === 'day') return dayNumber(to) - dayNumber(from);
  if (unit === 'week') return weekNumber(to, weekStart) - weekNumber(from, weekStart);
  const months = monthsOf(unit);
  return Math.floor(monthNumber(to) / months) - Math.floor(monthNumber(from) / months);
}

/** Returns the beginning of the bin that contains a time. A bin is `binSize` units long. */
export function truncateDate(
  date: Date,
  unit: string,
  binSize: number,
  zone: string | undefined,
  weekStart: number,
): Date {
  const millis = MILLIS[unit];
  if (millis !== undefined) {
    const reference = fromWall(zone, REFERENCE).getTime();
    return new Date(date.getTime() - modulo(date.getTime() - reference, binSize * millis));
  }
  const wall = toWall(zone, date.getTime());
  const days = DAYS[unit];
  if (days === undefined) return fromWall(zone, truncatedMonth(wall, binSize * monthsOf(unit)));
  const first = dayNumber(new Date(REFERENCE)) + (unit === 'week' ? modulo(weekStart - 6, 7) : 0);
  const day = dayNumber(wall) - modulo(dayNumber(wall) - first, binSize * days);
  return fromWall(zone, day * DAY);
}

/** Returns the number of a weekday, 0 for Sunday. The weekday is given by its name or the name's first three letters. */
export function weekdayOf(name: unknown): number {
  const wanted = String(name ?? 'sunday').toLowerCase();
  const found = WEEKDAYS.findIndex((day) => day === wanted || day.slice(0, 3) === wanted);
  if (found >= 0) return found;
  throw new CommandError(
    5439015,
    `parameter 'startOfWeek' value cannot be recognized as a day of a week: ${name}`,
  );
}

function monthsOf(unit: string): number {
  const months = MONTHS[unit];
  if (months !== undefined) return months;
  throw new CommandError(9, `unknown time unit value: ${unit}`);
}

/** Counts hours or shorter units by the zone's clock, corrected for changes of the clock between the two times. */
function differenceOfTime(start: Date, end: Date, unit: string, zone: string | undefined): number {
  const millis = MILLIS[unit] ?? 1;
  const [first, last] = [offsetAt(zone, start.getTime()), offsetAt(zone, end.getTime())];
  const count = (date: Date, offset: number) => Math.floor((date.getTime() + offset) / millis);
  return count(end, last) - count(start, first) - Math.round((last - first) / millis);
}

function truncatedMonth(wall: Date, months: number): number {
  const month = monthNumber(wall) - 2000 * 12;
  return fromCalendar(2000, 1 + month - modulo(month, months), 1);
}

function dayNumber(wall: Date): number {
  return Math.floor(wall.getTime() / DAY);
}

/** Returns the number of the week. 1970 began on a Thursday. */
function weekNumber(wall: Date, weekStart: number): number {
  return Math.floor((dayNumber(wall) + 4 - weekStart) / 7);
}

function monthNumber(wall: Date): number {
  return wall.getUTCFullYear() * 12 + wall.getUTCMonth();
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
