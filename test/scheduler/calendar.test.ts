import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CronFields } from '../../src/scheduler/calendar/cron-fields.js';
import { firstCallTime, localTime, type Timing } from '../../src/scheduler/next-call-time.js';
import { type Shown, watchClock } from './clock.js';
import { anyTimes, matches, type Times, toExpression, toLists } from './times.js';

const cron = (expression: string, timeZone = 'Europe/Zurich'): Timing => ({
  type: 'Cron',
  cron: expression,
  timeZone,
});

const every: CronFields = { minute: [], hour: [], dayOfMonth: [], month: [], dayOfWeek: [] };
const lists = (fields: Partial<CronFields>): Timing => ({
  type: 'Cron',
  ...every,
  ...fields,
  timeZone: 'Europe/Zurich',
});

/** The next `count` calls after a moment, as the zone's clock shows them. */
function calls(timing: Timing, after: string, count: number): string[] {
  const found: string[] = [];
  let at = firstCallTime(timing, new Date(after));
  while (at !== null && found.length < count) {
    found.push(localTime(at, timing.timeZone));
    at = firstCallTime(timing, at);
  }
  return found;
}

describe('when the clock is set forward, in Zurich from 02:00 to 03:00 on 29 March 2026', () => {
  const early = '2026-03-29T00:00Z';

  test('a set time that is skipped is due at the end of the gap', () => {
    expect(calls(cron('30 2 * * *'), '2026-03-28T00:00Z', 3)).toEqual([
      '2026-03-28T02:30:00+01:00',
      '2026-03-29T03:00:00+02:00',
      '2026-03-30T02:30:00+02:00',
    ]);
  });

  test.each([
    ['0,30 2 * * *', '2026-03-30T02:00:00+02:00'],
    ['0-59 2 * * *', '2026-03-30T02:00:00+02:00'],
    ['* 30 2 * * *', '2026-03-30T02:30:00+02:00'],
    ['30 2,3 * * *', '2026-03-29T03:30:00+02:00'],
    ['0 2,3 * * *', '2026-03-30T02:00:00+02:00'],
  ])('all that are skipped, and what is due at the end of the gap, are one: %s', (expression, next) => {
    expect(calls(cron(expression), early, 2)).toEqual(['2026-03-29T03:00:00+02:00', next]);
  });

  test('nothing is due at the end of the gap when nothing was skipped', () => {
    expect(calls(cron('30 1,4 * * *'), early, 2)).toEqual([
      '2026-03-29T01:30:00+01:00',
      '2026-03-29T04:30:00+02:00',
    ]);
  });

  test.each([
    ['*/30 * * * *', ['01:30:00+01:00', '03:00:00+02:00', '03:30:00+02:00']],
    ['30 * * * *', ['01:30:00+01:00', '03:30:00+02:00', '04:30:00+02:00']],
    ['30 ? * * *', ['01:30:00+01:00', '03:30:00+02:00', '04:30:00+02:00']],
    ['@hourly', ['03:00:00+02:00', '04:00:00+02:00', '05:00:00+02:00']],
    ['15 */2 * * *', ['04:15:00+02:00', '06:15:00+02:00', '08:15:00+02:00']],
  ])('an open pattern does not make up what is skipped: %s', (expression, clock) => {
    expect(calls(cron(expression), early, 3)).toEqual(clock.map((time) => `2026-03-29T${time}`));
  });

  test.each(['* 2 * * *', '? 2 * * *'])(
    'an open pattern that is skipped altogether waits for a day: %s',
    (expression) => {
      expect(calls(cron(expression), early, 1)).toEqual(['2026-03-30T02:00:00+02:00']);
    },
  );

  test('lists are open when minute or hour is empty', () => {
    expect(calls(lists({ minute: [30], hour: [2] }), early, 1)).toEqual(['2026-03-29T03:00:00+02:00']);
    expect(calls(lists({ hour: [2] }), early, 1)).toEqual(['2026-03-30T02:00:00+02:00']);
    expect(calls(lists({ minute: [30] }), early, 2)[1]).toBe('2026-03-29T03:30:00+02:00');
  });
});

describe('when the clock is set back, in Zurich from 03:00 to 02:00 on 25 October 2026', () => {
  const early = '2026-10-24T23:45Z';

  test('a set time that comes twice is due the first time only', () => {
    expect(calls(cron('0,30 2 * * *'), early, 3)).toEqual([
      '2026-10-25T02:00:00+02:00',
      '2026-10-25T02:30:00+02:00',
      '2026-10-26T02:00:00+01:00',
    ]);
  });

  test('a set time is not due the second time to one who comes late', () => {
    expect(calls(cron('30 2 * * *'), '2026-10-25T01:10Z', 1)).toEqual(['2026-10-26T02:30:00+01:00']);
  });

  test('the end of the overlap is due when the clock gets there', () => {
    expect(calls(cron('0 3 * * *'), early, 1)).toEqual(['2026-10-25T03:00:00+01:00']);
  });

  test('an open pattern is due both times', () => {
    expect(calls(cron('*/30 * * * *'), early, 5)).toEqual([
      '2026-10-25T02:00:00+02:00',
      '2026-10-25T02:30:00+02:00',
      '2026-10-25T02:00:00+01:00',
      '2026-10-25T02:30:00+01:00',
      '2026-10-25T03:00:00+01:00',
    ]);
  });

  test('an open pattern is due the second time even when no other time of the year matches', () => {
    expect(calls(cron('* 2 25 10 *'), '2026-10-25T00:58Z', 2)).toEqual([
      '2026-10-25T02:59:00+02:00',
      '2026-10-25T02:00:00+01:00',
    ]);
    expect(calls(cron('* 2 25 10 *'), '2026-10-25T00:59Z', 1)).toEqual(['2026-10-25T02:00:00+01:00']);
  });

  test('lists are open when minute or hour is empty', () => {
    expect(calls(lists({ minute: [30], hour: [2] }), early, 2)[1]).toBe('2026-10-26T02:30:00+01:00');
    expect(calls(lists({ minute: [30] }), early, 2)[1]).toBe('2026-10-25T02:30:00+01:00');
  });
});

describe('it does not matter by how much the clock is set, or when', () => {
  test.each([
    ['half an hour', 'Australia/Lord_Howe', '15 2 * * *', '2026-10-03T12:00Z', '2026-10-04T02:30:00+11:00'],
    ['at midnight', 'America/Sao_Paulo', '0 0 * * *', '2018-11-03T12:00Z', '2018-11-04T01:00:00-02:00'],
    ['a quarter', 'Asia/Kathmandu', '5 0 * * *', '1985-12-31T12:00Z', '1986-01-01T00:15:00+05:45'],
    ['44.5 minutes', 'Africa/Monrovia', '10 0 * * *', '1972-01-06T12:00Z', '1972-01-07T00:44:30+00:00'],
    ['a whole day', 'Pacific/Apia', '0 12 30 12 *', '2011-12-01T00:00Z', '2011-12-31T00:00:00+14:00'],
  ])('forward: %s', (_, timeZone, expression, after, expected) => {
    expect(calls(cron(expression, timeZone), after, 1)).toEqual([expected]);
  });

  test.each([
    [
      'half an hour',
      'Australia/Lord_Howe',
      '45 1 * * *',
      '2026-04-04T14:44Z',
      ['5T01:45:00+11:00', '6T01:45:00+10:30'],
    ],
    [
      'at midnight',
      'America/Sao_Paulo',
      '30 23 * * *',
      '2018-02-17T12:00Z',
      ['7T23:30:00-02:00', '8T23:30:00-03:00'],
    ],
    [
      '23 hours',
      'Pacific/Kwajalein',
      '0 12 * * *',
      '1969-09-30T00:00Z',
      ['0T12:00:00+11:00', '1T12:00:00-12:00'],
    ],
  ])('back: %s', (_, timeZone, expression, after, expected) => {
    expect(calls(cron(expression, timeZone), after, 2).map((call) => call.slice(9))).toEqual(expected);
  });

  test('a daily item is due one more time, when the day after a day that was skipped begins', () => {
    expect(calls(cron('0 12 * * *', 'Pacific/Apia'), '2011-12-29T12:00Z', 3)).toEqual([
      '2011-12-29T12:00:00-10:00',
      '2011-12-31T00:00:00+14:00',
      '2011-12-31T12:00:00+14:00',
    ]);
  });
});

/** Moments at which clocks are set; the last is none. */
const changes = [
  ['America/New_York', '2018-03-11T07:00Z'],
  ['America/New_York', '2018-11-04T06:00Z'],
  ['America/New_York', '2026-03-08T07:00Z'],
  ['America/New_York', '2026-11-01T06:00Z'],
  ['Europe/Zurich', '2027-03-28T01:00Z'],
  ['Europe/Zurich', '2027-10-31T01:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
  ['Africa/Casablanca', '2017-05-21T02:00Z'],
  ['Africa/Casablanca', '2019-06-09T02:00Z'],
  ['America/Sao_Paulo', '2017-10-15T03:00Z'],
  ['America/Sao_Paulo', '2018-02-18T02:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z'],
  ['Pacific/Apia', '2012-03-31T14:00Z'],
  ['Pacific/Kwajalein', '1969-09-30T13:00Z'],
  ['Pacific/Kwajalein', '1993-08-21T12:00Z'],
  ['Asia/Kathmandu', '1985-12-31T18:30Z'],
  ['Asia/Kathmandu', '2026-01-01T00:00Z'],
] as const;

describe('agrees with one who watches the clock from minute to minute', () => {
  const watched = changes.map(([timeZone, moment]) => ({ timeZone, shown: watchClock(timeZone, moment) }));
  const forms = [
    [
      'an expression',
      (times: Times) => ({ cron: toExpression(times) }),
      (text: string) => text.startsWith('*'),
    ],
    ['lists', toLists, (text: string) => text === '*'],
  ] as const;

  test.each(forms)('all the way, given %s', (_, toFields, isOpen) => {
    fc.assert(
      fc.property(fc.constantFrom(...watched), anyTimes(), ({ timeZone, shown }, times) => {
        const timing: Timing = { type: 'Cron', timeZone, ...toFields(times) };
        const { start, end } = boundsOf(shown);
        const found: number[] = [];
        for (let at = firstCallTime(timing, start); at && at <= end; at = firstCallTime(timing, at))
          found.push(at.getTime());
        expect(found).toEqual(watch(shown, times, isOpen(times.minute.text) || isOpen(times.hour.text)));
      }),
      { numRuns: 40 },
    );
  });

  test.each(forms)('from any moment on, given %s', (_, toFields, isOpen) => {
    const moment = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0.45, max: 0.55, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...watched), anyTimes(), moment, ({ timeZone, shown }, times, part) => {
        const timing: Timing = { type: 'Cron', timeZone, ...toFields(times) };
        const { start, end } = boundsOf(shown);
        const after = Math.floor(start.getTime() + part * (end.getTime() - start.getTime()));
        const due = watch(shown, times, isOpen(times.minute.text) || isOpen(times.hour.text));
        const expected = due.find((at) => at > after);
        const found = firstCallTime(timing, new Date(after));
        if (expected !== undefined) expect(found).toEqual(new Date(expected));
        else if (found) expect(found.getTime()).toBeGreaterThan(end.getTime());
      }),
      { numRuns: 60 },
    );
  });
});

function boundsOf(shown: readonly Shown[]): { start: Date; end: Date } {
  return { start: new Date(shown.at(0)?.moment ?? 0), end: new Date(shown.at(-1)?.moment ?? 0) };
}

/**
 * The oracle: when times are due after the first minute. Open ones are when the clock shows them. Set ones are when
 * it has come to them or jumped over them, unless it was that far before.
 */
function watch(shown: readonly Shown[], times: Times, isOpen: boolean): number[] {
  let furthest = shown[0]?.wall ?? 0;
  return shown.slice(1).flatMap(({ moment, wall }) => {
    const from = isOpen ? wall : furthest + 60_000;
    furthest = Math.max(furthest, wall);
    for (let reached = from; reached <= wall; reached += 60_000) if (matches(times, reached)) return [moment];
    return [];
  });
}
