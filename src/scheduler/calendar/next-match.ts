import type { Pattern } from './pattern.js';

/** How far to search, in years. The rarest date, 29 February on a given weekday, comes within 40 years. */
const HORIZON_YEARS = 41;

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/**
 * Returns the first wall-clock time at or after `from` that matches, or undefined if there is none.
 *
 * Wall-clock times are in milliseconds since the epoch, as if the clock showed UTC. So every day has 24 hours. `nextOccurrence`
 * turns them into moments.
 *
 * cron-parser only parses. Its search takes 50 µs for the next time and 1.6 ms for the next 29 February. This search takes 3 µs
 * and 50 µs. Patterns of cron-parser cannot require both day of month and day of week.
 */
export function nextMatch(pattern: Pattern, from: number): number | undefined {
  const second = Math.ceil(from / SECOND_MS) * SECOND_MS;
  const today = Math.floor(second / DAY_MS) * DAY_MS;
  if (matches(pattern, new Date(today))) {
    const time = nextTimeOfDay(pattern, new Date(second));
    if (time !== undefined) return today + time;
  }
  const day = nextDay(pattern, today + DAY_MS);
  return day === undefined ? undefined : day + firstTimeOfDay(pattern);
}

function nextDay(pattern: Pattern, from: number): number | undefined {
  const day = new Date(from);
  const lastYear = day.getUTCFullYear() + HORIZON_YEARS;
  while (day.getUTCFullYear() <= lastYear) {
    if (matches(pattern, day)) return day.getTime();
    if (pattern.months.includes(day.getUTCMonth() + 1)) day.setUTCDate(day.getUTCDate() + 1);
    else day.setUTCMonth(day.getUTCMonth() + 1, 1);
  }
  return undefined;
}

function matches({ months, matchesDay }: Pattern, day: Date): boolean {
  return months.includes(day.getUTCMonth() + 1) && matchesDay(day);
}

/** Returns the first matching time of day at or after the time of `from`, in milliseconds since midnight. */
function nextTimeOfDay(pattern: Pattern, from: Date): number | undefined {
  const { hours, minutes, seconds } = pattern;
  const [hour, minute, second] = [from.getUTCHours(), from.getUTCMinutes(), from.getUTCSeconds()];
  if (hours.includes(hour)) {
    const thisMinute = minutes.includes(minute) ? seconds.find((value) => value >= second) : undefined;
    if (thisMinute !== undefined) return toTime(hour, minute, thisMinute);
    const laterMinute = minutes.find((value) => value > minute);
    if (laterMinute !== undefined) return toTime(hour, laterMinute, seconds[0]);
  }
  const laterHour = hours.find((value) => value > hour);
  return laterHour === undefined ? undefined : toTime(laterHour, minutes[0], seconds[0]);
}

function firstTimeOfDay({ hours, minutes, seconds }: Pattern): number {
  return toTime(hours[0], minutes[0], seconds[0]);
}

function toTime(hour = 0, minute = 0, second = 0): number {
  return ((hour * 60 + minute) * 60 + second) * SECOND_MS;
}
