const DAY = 86_400_000;

/** Returns the day of the year, from 1. */
export function dayOfYear(wall: Date): number {
  return Math.floor((wall.getTime() - firstDay(wall.getUTCFullYear())) / DAY) + 1;
}

/** Returns the week of the year, from 0. Weeks begin on Sundays, and week 1 with the year's first Sunday. */
export function weekOfYear(wall: Date): number {
  return Math.floor((dayOfYear(wall) - 1 + 7 - wall.getUTCDay()) / 7);
}

/** Returns the day of the week by ISO 8601: 1 is Monday, 7 Sunday. */
export function isoDayOfWeek(wall: Date): number {
  return wall.getUTCDay() || 7;
}

/** Returns the year of the week by ISO 8601. It is the year of the week's Thursday. */
export function isoWeekYear(wall: Date): number {
  return thursday(wall).getUTCFullYear();
}

/** Returns the week by ISO 8601, from 1. */
export function isoWeek(wall: Date): number {
  return Math.ceil(dayOfYear(thursday(wall)) / 7);
}

/** Returns the date of a day given by ISO 8601. */
export function fromIsoWeek(year: number, week: number, day: number): number {
  const fourth = new Date(firstDay(year) + 3 * DAY);
  return fourth.getTime() + ((week - 1) * 7 + day - isoDayOfWeek(fourth)) * DAY;
}

/** Returns the date of a year, a month (from 1) and a day. Each of them may be out of its range. */
export function fromCalendar(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime();
}

/** Returns the same day some months later, or the last day of that month if it is shorter. */
export function plusMonths(wall: Date, months: number): number {
  const month = wall.getUTCMonth() + 1 + months;
  const last = new Date(fromCalendar(wall.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const day = fromCalendar(wall.getUTCFullYear(), month, Math.min(wall.getUTCDate(), last));
  return day + timeOfDay(wall);
}

function timeOfDay(wall: Date): number {
  return ((wall.getTime() % DAY) + DAY) % DAY;
}

function firstDay(year: number): number {
  return fromCalendar(year, 1, 1);
}

function thursday(wall: Date): Date {
  return new Date(wall.getTime() + (4 - isoDayOfWeek(wall)) * DAY);
}
