import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CronFields, SchedulerItemDocument } from '../../src/scheduler/item.js';
import { firstCallTime, followingCallTime, type Timing } from '../../src/scheduler/next-call-time.js';

const none: CronFields = { minute: [], hour: [], dayOfMonth: [], month: [], dayOfWeek: [] };
const cron = (fields: Partial<CronFields>): Timing => ({ type: 'Cron', timeZone: 'UTC', ...none, ...fields });

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

describe('a Cron item', () => {
  test('is due every minute when its lists are empty', () => {
    expect(calls(cron({}), '2026-01-01T00:00:30Z', 2)).toEqual(['2026-01-01T00:01', '2026-01-01T00:02']);
  });

  test('is due at each listed minute and hour', () => {
    const timing = cron({ minute: [0, 30], hour: [9] });
    expect(calls(timing, '2026-01-01T09:00:00Z', 2)).toEqual(['2026-01-01T09:30', '2026-01-02T09:00']);
  });

  test('counts days of the week from Monday, which is 0', () => {
    const timing = cron({ minute: [0], hour: [0], dayOfWeek: [0] });
    expect(calls(timing, '2026-11-24T00:00:00Z', 1)).toEqual(['2026-11-30T00:00']);
    expect(calls(cron({ minute: [0], hour: [0], dayOfWeek: [6] }), '2026-11-24T00:00:00Z', 1)).toEqual([
      '2026-11-29T00:00',
    ]);
  });

  test('needs all its lists to match: Friday the 13th, not Fridays and 13ths', () => {
    const timing = cron({ minute: [0], hour: [12], dayOfMonth: [13], dayOfWeek: [4] });
    expect(calls(timing, '2026-01-01T00:00:00Z', 4)).toEqual([
      '2026-02-13T12:00',
      '2026-03-13T12:00',
      '2026-11-13T12:00',
      '2027-08-13T12:00',
    ]);
  });

  test('finds the rarest day there is', () => {
    const timing = cron({ minute: [0], hour: [0], month: [2], dayOfMonth: [29], dayOfWeek: [0] });
    expect(calls(timing, '2072-03-01T00:00:00Z', 1)).toEqual(['2112-02-29T00:00']);
  });

  test.each([
    [31, 2],
    [30, 2],
    [31, 4],
  ])('that asks for day %i of month %i is never due', (day, month) => {
    expect(firstCallTime(cron({ dayOfMonth: [day], month: [month] }), new Date())).toBeNull();
  });

  test('is read in its time zone', () => {
    const timing: Timing = { ...cron({ minute: [0], hour: [9] }), timeZone: 'Europe/Zurich' };
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
      fc.property(fields, from, (lists, start) => {
        const expected = walk(lists, start, limit);
        const found = firstCallTime(cron(lists), start);
        if (expected) expect(found).toEqual(expected);
        else if (found) expect(found.getTime() - start.getTime()).toBeGreaterThan((limit - 1) * 60_000);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a Delay item', () => {
  const item = (delay: number): SchedulerItemDocument => ({
    _id: 'x',
    type: 'Delay',
    delay,
    title: '',
    description: '',
    jobName: 'echo',
    active: true,
    nextCallTime: null,
    lastCallTime: null,
    timeZone: 'UTC',
    catchUp: 'once',
    version: 1,
  });
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));

  test('is due first one delay after it became active', () => {
    expect(firstCallTime(item(90_000), at(5))).toEqual(at(95));
  });

  test.each([
    ['on time', 10, 10, 20],
    ['late, within the delay', 10, 19, 20],
    ['late by a whole delay', 10, 20, 30],
    ['after long downtime', 10, 1_234, 1_240],
    ['by a clock that was set back', 10, 3, 20],
  ])('then keeps its rhythm and lies in the future: fired %s', (_, due, now, next) => {
    expect(followingCallTime(item(10_000), at(due), at(now))).toEqual(at(next));
  });
});

/** The oracle: every minute after `start` in turn, for at most `limit` minutes. */
function walk(lists: CronFields, start: Date, limit: number): Date | undefined {
  const fits = (list: readonly number[], value: number) => list.length === 0 || list.includes(value);
  const first = Math.floor(start.getTime() / 60_000) + 1;
  for (let minute = first; minute < first + limit; minute += 1) {
    const at = new Date(minute * 60_000);
    if (
      fits(lists.minute, at.getUTCMinutes()) &&
      fits(lists.hour, at.getUTCHours()) &&
      fits(lists.dayOfMonth, at.getUTCDate()) &&
      fits(lists.month, at.getUTCMonth() + 1) &&
      fits(lists.dayOfWeek, (at.getUTCDay() + 6) % 7)
    ) {
      return at;
    }
  }
  return undefined;
}
