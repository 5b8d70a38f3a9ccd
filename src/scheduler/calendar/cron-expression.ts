import {
  type CronDayOfMonth,
  type CronDayOfWeek,
  type CronExpression,
  CronExpressionParser,
} from 'cron-parser';
import type { Pattern } from './pattern.js';
import { remembering } from './remembering.js';

const DAY_MS = 86_400_000;

/** At least as many as one tick of the scheduler moves on. An entry takes a few KB. */
const REMEMBERED = 5000;

/**
 * The pattern of a cron expression, as cron-parser reads it. A day that is restricted both by day of the month and by
 * day of the week matches when either does, as in cron; restricted is whatever is not just `*` or `?`.
 *
 * @throws Error when it is not one: `cronProblem` tells what is wrong
 */
export const patternOfExpression = remembering(REMEMBERED, (cron: string): Pattern => {
  const expression = parse(cron);
  const { second, minute, hour, dayOfMonth, month, dayOfWeek } = expression.fields;
  return {
    seconds: second.values,
    minutes: minute.values,
    hours: hour.values,
    months: month.values,
    matchesDay: dayRule(dayOfMonth, dayOfWeek),
    isOpen: isOpen(expression.toString()),
  };
});

/** @throws Error when it is not an expression */
export function parse(cron: string): CronExpression {
  return CronExpressionParser.parse(cron.trim(), WITHOUT_SYSTEM_ZONE);
}

/** The time does not matter; without one cron-parser looks up the system's zone, which takes 0.2 ms. */
const WITHOUT_SYSTEM_ZONE = { tz: 'UTC', currentDate: new Date(0) };

/** Given the whole expression: `toString` has put the fields in place of a name such as `@hourly`. */
function isOpen(fields: string): boolean {
  const [minute = '', hour = ''] = fields.split(/\s+/).slice(-5);
  return /^[*?]/.test(minute) || /^[*?]/.test(hour);
}

function dayRule(dayOfMonth: CronDayOfMonth, dayOfWeek: CronDayOfWeek): (day: Date) => boolean {
  const matchesDayOfMonth = dayOfMonthRule(dayOfMonth);
  const matchesDayOfWeek = dayOfWeekRule(dayOfWeek);
  if (dayOfWeek.isWildcard) return matchesDayOfMonth;
  if (dayOfMonth.isWildcard) return matchesDayOfWeek;
  return (day) => matchesDayOfMonth(day) || matchesDayOfWeek(day);
}

/** Numbers, and `L` for the last day. */
function dayOfMonthRule({ values, hasLastChar }: CronDayOfMonth): (day: Date) => boolean {
  const numbers = new Set<unknown>(values);
  return (day) => numbers.has(day.getUTCDate()) || (hasLastChar && isAmongLast(day, 1));
}

/** Numbers from Sunday, which is 0; `5L` for the last Friday; or a number with `#`, such as `5#3` for the third. */
function dayOfWeekRule({ values, nthDay }: CronDayOfWeek): (day: Date) => boolean {
  const numbers = new Set<unknown>(values);
  const lastOnes = new Set(
    values.filter((value) => typeof value === 'string').map((text) => Number.parseInt(text, 10) % 7),
  );
  return (day) =>
    (numbers.has(day.getUTCDay()) && (nthDay === 0 || Math.ceil(day.getUTCDate() / 7) === nthDay)) ||
    (lastOnes.has(day.getUTCDay()) && isAmongLast(day, 7));
}

/** Whether it is one of the last days of its month, so many. */
function isAmongLast(day: Date, count: number): boolean {
  return new Date(day.getTime() + count * DAY_MS).getUTCMonth() !== day.getUTCMonth();
}
