import {
  type CronDayOfMonth,
  type CronDayOfWeek,
  type CronExpression,
  CronExpressionParser,
} from 'cron-parser';
import type { Pattern } from './pattern.js';
import { remembering } from './remembering.js';

const DAY_MS = 86_400_000;

/** Number of patterns that are remembered. A tick of the scheduler needs no more. Each takes a few KB. */
const REMEMBERED = 5000;

/**
 * Returns the pattern of a cron expression, as cron-parser reads it. If both day of month and day of week are restricted, a day
 * matches when either does, as in cron. Every value restricts, except a lone `*` or `?`.
 *
 * @throws Error for an invalid expression, which `cronProblem` explains
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

/** Parses a cron expression. @throws Error for an invalid one */
export function parse(cron: string): CronExpression {
  const text = cron.trim();
  if (text === '@midnight') return parse('@daily');
  return CronExpressionParser.parse(withoutRepetition(text), WITHOUT_SYSTEM_ZONE);
}

const FIELD_NAMES = ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const;
type FieldName = (typeof FIELD_NAMES)[number];

/** Turns `1-5,3-7` into `1-5,6,7`, since cron-parser refuses lists that contain a value twice. */
function withoutRepetition(cron: string): string {
  const texts = cron.split(/\s+/);
  const names = FIELD_NAMES.slice(-texts.length);
  return texts.map((text, index) => distinct(text, names[index])).join(' ');
}

/**
 * Removes repeated values from a list. Leaves invalid lists unchanged, since cron-parser explains them best. Leaves lists with
 * `#` unchanged, since cron-parser refuses them.
 */
function distinct(text: string, name: FieldName | undefined): string {
  const given = text.split(',');
  if (name === undefined || given.length === 1 || given.includes('') || text.includes('#')) return text;
  const seen = new Set<number | string>();
  const parts = given.flatMap((part) => {
    const values = valuesOf(part, name);
    const more = values.filter((value) => !seen.has(value));
    for (const value of more) seen.add(value);
    return more.length === values.length ? [part] : more;
  });
  return parts.join(',');
}

function valuesOf(part: string, name: FieldName): readonly (number | string)[] {
  const alone = FIELD_NAMES.map((other) => (other === name ? part : '*')).join(' ');
  return CronExpressionParser.parse(alone, WITHOUT_SYSTEM_ZONE).fields[name].values;
}

/**
 * Options that spare cron-parser the lookup of the system's time zone, which takes 0.2 ms. The date does not matter.
 */
const WITHOUT_SYSTEM_ZONE = { tz: 'UTC', currentDate: new Date(0) };

/** Returns whether minute or hour is `*`. Expects an expression in which `toString` has replaced names such as `@hourly`. */
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

/** Returns a function that matches days by number, or the last day for `L`. */
function dayOfMonthRule({ values, hasLastChar }: CronDayOfMonth): (day: Date) => boolean {
  const numbers = new Set<unknown>(values);
  return (day) => numbers.has(day.getUTCDate()) || (hasLastChar && isAmongLast(day, 1));
}

/**
 * Returns a function that matches days by number (0 is Sunday), the last Friday for `5L`, and the third Friday for
 * `5#3`.
 */
function dayOfWeekRule({ values, nthDay }: CronDayOfWeek): (day: Date) => boolean {
  const numbers = new Set<unknown>(values);
  const lastOnes = new Set(
    values.filter((value) => typeof value === 'string').map((text) => Number.parseInt(text, 10) % 7),
  );
  return (day) =>
    (numbers.has(day.getUTCDay()) && (nthDay === 0 || Math.ceil(day.getUTCDate() / 7) === nthDay)) ||
    (lastOnes.has(day.getUTCDay()) && isAmongLast(day, 7));
}

/** Returns whether a day is among the last `count` days of its month. */
function isAmongLast(day: Date, count: number): boolean {
  return new Date(day.getTime() + count * DAY_MS).getUTCMonth() !== day.getUTCMonth();
}
