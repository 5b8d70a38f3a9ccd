import { parse } from '../../../src/scheduler/calendar/cron-expression.js';
import type { CronFields } from '../../../src/scheduler/calendar/cron-fields.js';

/**
 * The times at which a `Cron` item is due. A list that restricts nothing is undefined. Weekdays begin with Sunday, 0.
 */
interface Rule {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[] | undefined;
  readonly hours: readonly number[] | undefined;
  readonly months: readonly number[] | undefined;
  readonly days: string | undefined;
}

/** Returns a cron expression in words, such as `at 09:00, Monday to Friday`. Undefined if it is invalid. */
export function cronWords(cron: string): string | undefined {
  try {
    const { second, minute, hour, dayOfMonth, month, dayOfWeek } = parse(cron).fields;
    const monthDays = dayOfMonth.isWildcard
      ? undefined
      : monthDaysText(numbersIn(dayOfMonth.values), dayOfMonth.hasLastChar);
    const weekdays = dayOfWeek.isWildcard ? undefined : weekdaysText(dayOfWeek.values, dayOfWeek.nthDay);
    return ruleText({
      seconds: second.values,
      minutes: unlessAll(minute.values, 60),
      hours: unlessAll(hour.values, 24),
      months: unlessAll(month.values, 12),
      days: [monthDays, weekdays].filter((part) => part !== undefined).join(', or ') || undefined,
    });
  } catch {
    return undefined;
  }
}

/** Returns in words when an item is due whose times are given by lists. */
export function listsWords({ minute, hour, dayOfMonth, month, dayOfWeek }: CronFields): string {
  const restricted = (list: readonly number[]) => (list.length === 0 ? undefined : sorted(list));
  const monthDays = dayOfMonth.length === 0 ? undefined : monthDaysText(sorted(dayOfMonth), false);
  const weekdays =
    dayOfWeek.length === 0
      ? undefined
      : weekdaysText(
          dayOfWeek.map((day) => (day + 1) % 7),
          0,
        );
  return ruleText({
    seconds: [0],
    minutes: restricted(minute),
    hours: restricted(hour),
    months: restricted(month),
    days: [monthDays, weekdays].filter((part) => part !== undefined).join(', if it is ') || undefined,
  });
}

function ruleText({ seconds, minutes, hours, months, days }: Rule): string {
  const parts = [
    timesText(minutes, hours),
    ...(seconds.length === 1 && seconds[0] === 0 ? [] : [secondsText(seconds)]),
    ...(days === undefined ? [] : [days]),
    ...(months === undefined ? [] : [`in ${rangesText(months, (month) => monthNames[month - 1] ?? '')}`]),
  ];
  return parts.join(', ');
}

function timesText(minutes: readonly number[] | undefined, hours: readonly number[] | undefined): string {
  const [minute, ...others] = minutes ?? [];
  if (minute === undefined || others.length > 0) return `${minutesText(minutes)}${hoursText(hours)}`;
  const step = hours && stepOf(hours, 24);
  if (hours === undefined || step !== undefined) {
    const every = step === undefined ? 'every hour' : `every ${step} hours`;
    return minute === 0 ? every : `${every}, at minute ${minute}`;
  }
  if (hours.length > MAX_TIMES) return `at minute ${minute}${hoursText(hours)}`;
  return `at ${listed(hours.map((hour) => clock(hour, minute)))}`;
}

/** Maximum number of times of a day that are told one by one. More are told as a minute and hours. */
const MAX_TIMES = 6;

function minutesText(minutes: readonly number[] | undefined): string {
  if (minutes === undefined) return 'every minute';
  const step = stepOf(minutes, 60);
  return step === undefined ? `at minutes ${rangesText(minutes, String)}` : `every ${step} minutes`;
}

function hoursText(hours: readonly number[] | undefined): string {
  if (hours === undefined) return '';
  const step = stepOf(hours, 24);
  if (step !== undefined) return ` of every ${step}. hour`;
  const [first = 0] = hours;
  const last = hours.at(-1) ?? first;
  if (last - first === hours.length - 1) return ` from ${clock(first, 0)} to ${clock(last, 59)}`;
  return ` of the hours ${rangesText(hours, String)}`;
}

function secondsText(seconds: readonly number[]): string {
  if (seconds.length === 60) return 'every second';
  const step = stepOf(seconds, 60);
  if (step !== undefined) return `every ${step} seconds`;
  return `at ${seconds.length === 1 ? 'second' : 'seconds'} ${rangesText(seconds, String)}`;
}

function monthDaysText(days: readonly number[], isLastToo: boolean): string {
  const numbers = days.length === 0 ? [] : [`day ${rangesText(days, String)}`];
  return `on ${listed([...numbers, ...(isLastToo ? ['the last day'] : [])])} of the month`;
}

/**
 * Returns days of the week in words.
 * @param values numbers from Sunday, or such a number and `L` for the last such day of a month
 */
function weekdaysText(values: readonly (number | string)[], nth: number): string {
  const numbers = sorted(numbersIn(values).map((day) => day % 7));
  const last = values
    .filter((value) => typeof value === 'string')
    .map((text) => Number.parseInt(text, 10) % 7);
  const name = (day: number) => dayNames[day] ?? '';
  if (nth > 0) return `on the ${ordinals[nth - 1] ?? `${nth}th`} ${listed(numbers.map(name))} of the month`;
  return listed([
    ...(numbers.length === 0 ? [] : [fromMonday(numbers)]),
    ...last.map((day) => `on the last ${name(day)} of the month`),
  ]);
}

/** Names days of the week. Sunday comes last. */
function fromMonday(days: readonly number[]): string {
  const ordered = sorted(days.map((day) => (day + 6) % 7));
  return rangesText(ordered, (day) => dayNames[(day + 1) % 7] ?? '');
}

/** Returns a list in words, such as `Monday to Friday and Sunday`. Three or more values in a row become a range. */
function rangesText(values: readonly number[], name: (value: number) => string): string {
  const runs: number[][] = [];
  for (const value of values) {
    const run = runs.at(-1);
    if (run?.at(-1) === value - 1) run.push(value);
    else runs.push([value]);
  }
  const parts = runs.flatMap((run) => {
    const [first = 0] = run;
    const last = run.at(-1) ?? first;
    return run.length > 2 ? [`${name(first)} to ${name(last)}`] : run.map(name);
  });
  return listed(parts);
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join() : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

/** Returns the step of values that go from 0 to the end in equal steps. Undefined for other values. */
function stepOf(values: readonly number[], end: number): number | undefined {
  const step = values[1];
  if (values[0] !== 0 || step === undefined || step < 2 || end % step !== 0) return undefined;
  const isRegular = values.length === end / step && values.every((value, index) => value === index * step);
  return isRegular ? step : undefined;
}

function unlessAll(values: readonly number[], count: number): readonly number[] | undefined {
  return values.length === count ? undefined : values;
}

function sorted(values: readonly number[]): number[] {
  return [...new Set(values)].sort((one, other) => one - other);
}

function clock(hour: number, minute: number): string {
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}

function numbersIn(values: readonly (number | string)[]): number[] {
  return values.filter((value) => typeof value === 'number');
}

const ordinals = ['first', 'second', 'third', 'fourth', 'fifth'];
const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const monthNames = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];
