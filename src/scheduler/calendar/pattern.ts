import type { CronFields } from './cron-fields.js';

/** The wall-clock times at which a `Cron` item is due. Lists are sorted, without duplicates, and never empty. */
export interface Pattern {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** 1 to 12. */
  readonly months: readonly number[];
  /** Returns whether a day matches. The day is given by its midnight in UTC. */
  readonly matchesDay: (day: Date) => boolean;
  /**
   * Whether minute or hour is `*`, so that the item follows the clock. If false, the item has set times. See `nextOccurrence`.
   */
  readonly isOpen: boolean;
}

/** Returns the pattern of an item given by lists. All lists must match, and an empty list matches everything. */
export function patternOfLists({ minute, hour, dayOfMonth, month, dayOfWeek }: CronFields): Pattern {
  return {
    seconds: [0],
    minutes: minute.length === 0 ? everyMinute : sorted(minute),
    hours: hour.length === 0 ? everyHour : sorted(hour),
    months: month.length === 0 ? everyMonth : sorted(month),
    matchesDay: (day) =>
      (dayOfMonth.length === 0 || dayOfMonth.includes(day.getUTCDate())) &&
      (dayOfWeek.length === 0 || dayOfWeek.includes((day.getUTCDay() + 6) % 7)),
    isOpen: minute.length === 0 || hour.length === 0,
  };
}

const everyMinute = range(0, 59);
const everyHour = range(0, 23);
const everyMonth = range(1, 12);

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function sorted(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
