import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CronFields } from '../../src/scheduler/calendar/cron-fields.js';
import { firstCallTime, nextCallTime, type Timing } from '../../src/scheduler/next-call-time.js';

const none: CronFields = { minute: [], hour: [], dayOfMonth: [], month: [], dayOfWeek: [] };
const lists = (fields: Partial<CronFields>): Timing => ({
  type: 'Cron',
  timeZone: 'UTC',
  ...none,
  ...fields,
});
const cron = (expression: string): Timing => ({ type: 'Cron', timeZone: 'UTC', cron: expression });
const delay = (milliseconds: number): Timing => ({ type: 'Delay', timeZone: 'UTC', delay: milliseconds });
const once = (moment: string): Timing => ({ type: 'At', timeZone: 'UTC', at: new Date(moment) });

/** The next `count` calls, as UTC text to the minute. */
function calls(timing: Timing, from: string, count: number): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  let at: Date | null = new Date(from);
  while (found.length < count && at) {
    at = firstCallTime(timing, at);
    found.push(at?.toISOString().slice(0, 16));
  }
  return found;
}

describe('a Cron item by lists', () => {
  test('is due every minute when its lists are empty', () => {
    expect(calls(lists({}), '2026-01-01T00:00:30Z', 2)).toEqual(['2026-01-01T00:01', '2026-01-01T00:02']);
  });

  test('is due at each listed minute and hour, in whatever order and however often they are listed', () => {
    const timing = lists({ minute: [30, 0, 30], hour: [9] });
    expect(calls(timing, '2026-01-01T09:00:00Z', 2)).toEqual(['2026-01-01T09:30', '2026-01-02T09:00']);
  });

  test('counts days of the week from Monday, which is 0', () => {
    const timing = lists({ minute: [0], hour: [0], dayOfWeek: [0] });
    expect(calls(timing, '2026-11-24T00:00:00Z', 1)).toEqual(['2026-11-30T00:00']);
    expect(calls(lists({ minute: [0], hour: [0], dayOfWeek: [6] }), '2026-11-24T00:00:00Z', 1)).toEqual([
      '2026-11-29T00:00',
    ]);
  });

  test('needs all its lists to match: Friday the 13th, not Fridays and 13ths', () => {
    const timing = lists({ minute: [0], hour: [12], dayOfMonth: [13], dayOfWeek: [4] });
    expect(calls(timing, '2026-01-01T00:00:00Z', 4)).toEqual([
      '2026-02-13T12:00',
      '2026-03-13T12:00',
      '2026-11-13T12:00',
      '2027-08-13T12:00',
    ]);
  });

  test('finds the rarest day there is', () => {
    const timing = lists({ minute: [0], hour: [0], month: [2], dayOfMonth: [29], dayOfWeek: [0] });
    expect(calls(timing, '2072-03-01T00:00:00Z', 1)).toEqual(['2112-02-29T00:00']);
  });

  test.each([
    [31, 2],
    [30, 2],
    [31, 4],
  ])('that asks for day %i of month %i is never due', (day, month) => {
    expect(firstCallTime(lists({ dayOfMonth: [day], month: [month] }), new Date())).toBeNull();
  });

  test('is read in its time zone', () => {
    const timing: Timing = { ...lists({ minute: [0], hour: [9] }), timeZone: 'Europe/Zurich' };
    expect(calls(timing, '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-01T08:00']);
    expect(calls(timing, '2026-07-01T00:00:00Z', 1)).toEqual(['2026-07-01T07:00']);
  });

  test('agrees with a walk from minute to minute', () => {
    const list = (min: number, max: number) => fc.uniqueArray(fc.integer({ min, max }), { maxLength: 4 });
    const fields = fc.record({
      minute: list(0, 59),
      hour: list(0, 23),
      dayOfMonth: list(1, 31),
      month: list(1, 12),
      dayOfWeek: list(0, 6),
    });
    const from = fc.date({
      min: new Date('2024-01-01T00:00:00Z'),
      max: new Date('2028-01-01T00:00:00Z'),
      noInvalidDate: true,
    });
    const limit = 60 * 24 * 60;
    fc.assert(
      fc.property(fields, from, (given, start) => {
        const expected = walk(given, start, limit);
        const found = firstCallTime(lists(given), start);
        if (expected) expect(found).toEqual(expected);
        else if (found) expect(found.getTime() - start.getTime()).toBeGreaterThan((limit - 1) * 60_000);
      }),
      { numRuns: 25 },
    );
  });
});

test('a Cron item is due after now, and next after it was due or looked at', () => {
  const hourly = cron('0 * * * *');
  const at = (time: string) => new Date(`2026-01-01T${time}Z`);
  expect(firstCallTime(hourly, at('10:00:00'))).toEqual(at('11:00:00'));
  expect(firstCallTime(hourly, at('09:59:59.999'))).toEqual(at('10:00:00'));
  expect(nextCallTime(hourly, at('10:00:00'))).toEqual(at('11:00:00'));
  expect(nextCallTime(hourly, at('10:00:00'), at('13:30:00'))).toEqual(at('14:00:00'));
});

describe('a Delay item', () => {
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));

  test('is due first one delay after it became active', () => {
    expect(firstCallTime(delay(90_000), at(5))).toEqual(at(95));
  });

  test('is due first at its start, while that is ahead', () => {
    const timing = { ...delay(90_000), startAt: at(30) };
    expect(firstCallTime(timing, at(29))).toEqual(at(30));
    expect(firstCallTime(timing, at(30))).toEqual(at(120));
    expect(firstCallTime(timing, at(40))).toEqual(at(130));
  });

  test.each([
    ['on time', 10, 10, 20],
    ['late, within the delay', 10, 19, 20],
    ['late by a whole delay', 10, 20, 30],
    ['after long downtime', 10, 1_234, 1_240],
    ['by a clock that was set back', 10, 3, 20],
  ])('then keeps its rhythm and lies in the future: looked at %s', (_, due, now, next) => {
    expect(nextCallTime(delay(10_000), at(due), at(now))).toEqual(at(next));
  });

  test('is next due one delay after it was due', () => {
    expect(nextCallTime(delay(10_000), at(10))).toEqual(at(20));
  });
});

describe('an At item', () => {
  test.each(['2026-01-01T11:59:00Z', '2026-01-01T12:00:00Z', '2026-01-02T00:00:00Z'])(
    'is due at its moment, ahead or passed: seen from %s',
    (now) => {
      expect(firstCallTime(once('2026-01-01T12:00:00Z'), new Date(now))).toEqual(
        new Date('2026-01-01T12:00:00Z'),
      );
    },
  );

  test('is due once', () => {
    const due = new Date('2026-01-01T12:00:00Z');
    expect(nextCallTime(once('2026-01-01T12:00:00Z'), due)).toBeNull();
  });
});

describe('an item that starts', () => {
  const startAt = new Date('2026-01-01T12:00:00Z');

  test('has an occurrence exactly then, but none before', () => {
    expect(calls({ ...cron('0 * * * *'), startAt }, '2026-01-01T00:00:00Z', 2)).toEqual([
      '2026-01-01T12:00',
      '2026-01-01T13:00',
    ]);
    expect(calls({ ...cron('30 * * * *'), startAt }, '2026-01-01T00:00:00Z', 1)).toEqual([
      '2026-01-01T12:30',
    ]);
  });

  test('has its next occurrence after now once it has started', () => {
    expect(calls({ ...cron('0 * * * *'), startAt }, '2026-01-01T14:10:00Z', 1)).toEqual(['2026-01-01T15:00']);
  });

  test('after its only moment is never due', () => {
    expect(firstCallTime({ ...once('2026-01-01T11:59:59Z'), startAt }, new Date(0))).toBeNull();
    expect(firstCallTime({ ...once('2026-01-01T12:00:00Z'), startAt }, new Date(0))).toEqual(startAt);
  });
});

describe('an item that ends', () => {
  const endAt = new Date('2026-01-01T12:00:00Z');
  const secondsEarlier = (seconds: number) => new Date(endAt.getTime() - seconds * 1000);

  test.each([
    ['Cron', { ...cron('0 * * * *'), endAt }, secondsEarlier(3600)],
    ['Delay', { ...delay(3_600_000), endAt }, secondsEarlier(3600)],
  ])('has an occurrence exactly then, and none after: %s', (_, timing, hourBefore) => {
    expect(firstCallTime(timing, hourBefore)).toEqual(endAt);
    expect(nextCallTime(timing, hourBefore)).toEqual(endAt);
    expect(nextCallTime(timing, endAt)).toBeNull();
    expect(firstCallTime(timing, secondsEarlier(1))).toEqual(timing.type === 'Cron' ? endAt : null);
    expect(firstCallTime(timing, endAt)).toBeNull();
  });

  test('before its only moment is never due', () => {
    expect(firstCallTime({ ...once('2026-01-01T12:00:00.001Z'), endAt }, secondsEarlier(60))).toBeNull();
    expect(firstCallTime({ ...once('2026-01-01T12:00:00Z'), endAt }, secondsEarlier(60))).toEqual(endAt);
  });

  test('before it starts is never due', () => {
    const startAt = new Date(endAt.getTime() + 1);
    expect(firstCallTime({ ...cron('* * * * *'), startAt, endAt }, secondsEarlier(60))).toBeNull();
    expect(firstCallTime({ ...delay(1000), startAt, endAt }, secondsEarlier(60))).toBeNull();
  });
});

test.each([
  ['Cron', { ...cron('0 0 1 1 *'), startAt: new Date(8.64e15) }],
  ['Delay', { ...delay(1000), startAt: new Date(8.64e15) }],
  ['At', { ...once('2026-01-01T00:00:00Z'), at: new Date(8.64e15) }],
])('a moment at the end of what a date can be is never reached: %s', (_, timing) => {
  expect(firstCallTime(timing, new Date())).toBeNull();
  expect(nextCallTime(timing, new Date(8.64e15))).toBeNull();
});

/** The oracle: every minute after `start` in turn, for at most `limit` minutes. */
function walk(given: CronFields, start: Date, limit: number): Date | undefined {
  const fits = (list: readonly number[], value: number) => list.length === 0 || list.includes(value);
  const first = Math.floor(start.getTime() / 60_000) + 1;
  for (let minute = first; minute < first + limit; minute += 1) {
    const at = new Date(minute * 60_000);
    if (
      fits(given.minute, at.getUTCMinutes()) &&
      fits(given.hour, at.getUTCHours()) &&
      fits(given.dayOfMonth, at.getUTCDate()) &&
      fits(given.month, at.getUTCMonth() + 1) &&
      fits(given.dayOfWeek, (at.getUTCDay() + 6) % 7)
    ) {
      return at;
    }
  }
  return undefined;
}
