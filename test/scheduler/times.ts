import fc from 'fast-check';
import type { CronFields } from '../../src/scheduler/calendar/cron-fields.js';

/** A field of an expression with its values. */
export interface Field {
  readonly text: string;
  readonly values: readonly number[];
}

/** Times of day, on all days or some. At most one of the two kinds of days is restricted. */
export interface Times {
  readonly minute: Field;
  readonly hour: Field;
  readonly dayOfMonth: Field;
  /** The days of the week, where Sunday is 0. */
  readonly dayOfWeek: Field;
}

export function toExpression({ minute, hour, dayOfMonth, dayOfWeek }: Times): string {
  return `${minute.text} ${hour.text} ${dayOfMonth.text} * ${dayOfWeek.text}`;
}

export function toLists({ minute, hour, dayOfMonth, dayOfWeek }: Times): CronFields {
  const list = ({ text, values }: Field) => (text === '*' ? [] : values);
  return {
    minute: list(minute),
    hour: list(hour),
    dayOfMonth: list(dayOfMonth),
    month: [],
    dayOfWeek: list(dayOfWeek).map((day) => (day + 6) % 7),
  };
}

/** Returns whether a clock that shows `wall`, as if in UTC, shows one of the times. */
export function matches({ minute, hour, dayOfMonth, dayOfWeek }: Times, wall: number): boolean {
  const date = new Date(wall);
  return (
    minute.values.includes(date.getUTCMinutes()) &&
    hour.values.includes(date.getUTCHours()) &&
    dayOfMonth.values.includes(date.getUTCDate()) &&
    dayOfWeek.values.includes(date.getUTCDay())
  );
}

/** Generates times, most of them in the small hours, when clocks are set. */
export function anyTimes(): fc.Arbitrary<Times> {
  const [everyDay, everyWeekday] = [every(1, 31), every(0, 6)];
  const days = fc.oneof(
    fc.constant({ dayOfMonth: everyDay, dayOfWeek: everyWeekday }),
    field(1, 31).map((dayOfMonth) => ({ dayOfMonth, dayOfWeek: everyWeekday })),
    field(0, 6).map((dayOfWeek) => ({ dayOfMonth: everyDay, dayOfWeek })),
  );
  return fc
    .record({ minute: field(0, 59), hour: fc.oneof(field(0, 23, 4), field(0, 23)), days })
    .map(({ days: restricted, ...time }) => ({ ...time, ...restricted }));
}

/** Generates a field from `first` to `last`. Single values are at most `usual`. */
function field(first: number, last: number, usual = last): fc.Arbitrary<Field> {
  const value = fc.integer({ min: first, max: usual });
  return fc.oneof(
    fc.constant(every(first, last)),
    fc.integer({ min: 2, max: last }).map((step) => every(first, last, step)),
    fc
      .uniqueArray(value, { minLength: 1, maxLength: 4 })
      .map((values) => ({ text: values.join(','), values })),
    fc.tuple(value, value).map(([one, other]) => between(Math.min(one, other), Math.max(one, other))),
  );
}

function every(first: number, last: number, step = 1): Field {
  return {
    text: step === 1 ? '*' : `*/${step}`,
    values: range(first, last).filter((value) => (value - first) % step === 0),
  };
}

function between(first: number, last: number): Field {
  return { text: `${first}-${last}`, values: range(first, last) };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
