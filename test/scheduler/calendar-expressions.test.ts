import { describe, expect, test } from 'vitest';
import { cronProblem, firstCallTime } from '../../src/scheduler/next-call-time.js';

/** The days of the next calls in UTC, from the beginning of 2026: in January it has Thursdays on 1, 8, 15, 22, 29. */
function days(cron: string, count: number): (string | undefined)[] {
  return calls(cron, count).map((call) => call?.slice(5, 10));
}

function calls(cron: string, count: number, from = '2025-12-31T23:59:59Z'): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  let at: Date | null = new Date(from);
  while (found.length < count && at) {
    at = firstCallTime({ type: 'Cron', cron, timeZone: 'UTC' }, at);
    found.push(at?.toISOString().slice(0, 19));
  }
  return found;
}

describe('the day of a cron expression', () => {
  test.each([
    ['0 0 * * *', ['01-01', '01-02', '01-03']],
    ['0 0 13 * *', ['01-13', '02-13', '03-13']],
    ['0 0 * * 5', ['01-02', '01-09', '01-16']],
    ['0 0 * * FRI', ['01-02', '01-09', '01-16']],
    ['0 0 * * 0', ['01-04', '01-11', '01-18']],
    ['0 0 * * 7', ['01-04', '01-11', '01-18']],
    ['0 0 * * 5-7', ['01-02', '01-03', '01-04']],
    ['0 0 31 * *', ['01-31', '03-31', '05-31']],
    ['0 0 1 */5 *', ['01-01', '06-01', '11-01']],
    ['0 0 1 feb,MAR-may *', ['02-01', '03-01', '04-01', '05-01', '02-01']],
  ])('%s', (cron, expected) => {
    expect(days(cron, expected.length)).toEqual(expected);
  });

  test.each([
    ['both restricted: either will do', '0 0 6 * 5', ['01-02', '01-06', '01-09']],
    ['a step is a restriction too', '0 0 */14 * 5', ['01-01', '01-02', '01-09', '01-15', '01-16']],
    ['? is *', '0 0 ? * 5', ['01-02', '01-09']],
    ['? is *', '0 0 6 * ?', ['01-06', '02-06']],
    ['? is *', '0 0 ? * ?', ['01-01', '01-02']],
    ['the last day of the month', '0 0 L * *', ['01-31', '02-28', '03-31', '04-30']],
    ['the last day and others', '0 0 1,L * *', ['01-01', '01-31', '02-01', '02-28']],
    ['the last day of the month or a Friday', '0 0 L 2 5', ['02-06', '02-13', '02-20', '02-27', '02-28']],
    ['the last Friday', '0 0 * * 5L', ['01-30', '02-27', '03-27']],
    ['the last Sunday', '0 0 * * 7L', ['01-25', '02-22', '03-29']],
    ['the last Friday and Saturday', '0 0 * * 5L,6L', ['01-30', '01-31', '02-27', '02-28']],
    ['the last Friday or the 2nd', '0 0 2 * 5L', ['01-02', '01-30', '02-02', '02-27']],
    ['the third Friday', '0 0 * * FRI#3', ['01-16', '02-20', '03-20']],
    ['a fifth Thursday, where there is one', '0 0 * * 4#5', ['01-29', '04-30', '07-30']],
    ['the first Sunday or the 2nd', '0 0 2 * 7#1', ['01-02', '01-04', '02-01', '02-02']],
  ])('%s: %s', (_, cron, expected) => {
    expect(days(cron, expected.length)).toEqual(expected);
  });

  test('may be rare', () => {
    expect(calls('0 0 29 2 *', 2)).toEqual(['2028-02-29T00:00:00', '2032-02-29T00:00:00']);
    expect(calls('0 0 * 2 1#5', 1, '2072-03-01T00:00Z')).toEqual(['2112-02-29T00:00:00']);
  });
});

test('six fields begin with the second', () => {
  expect(calls('15,45 59 23 * * *', 3)).toEqual([
    '2026-01-01T23:59:15',
    '2026-01-01T23:59:45',
    '2026-01-02T23:59:15',
  ]);
  expect(calls('*/20 * * * * *', 4)).toEqual([
    '2026-01-01T00:00:00',
    '2026-01-01T00:00:20',
    '2026-01-01T00:00:40',
    '2026-01-01T00:01:00',
  ]);
});

describe('a list that names a value twice is one that names it once:', () => {
  test.each([
    ['0,*/15 * * * *', '0,15,30,45 * * * *'],
    ['*/15,0 * * * *', '*/15 * * * *'],
    ['1-5,3-7 * * * *', '1-7 * * * *'],
    ['1,1,1 5 * * *', '1 5 * * *'],
    ['0 9 * * MON,MON-FRI', '0 9 * * MON-FRI'],
    ['0 0 * * 0,7', '0 0 * * SUN'],
    ['0 0 1,1,L * *', '0 0 1,L * *'],
    ['0 0 L,L * *', '0 0 L * *'],
    ['0 0 * * 5L,5L', '0 0 * * 5L'],
    ['0 0 1 JAN,1-3 *', '0 0 1 JAN-MAR *'],
    ['0,0,30 0 0 * * *', '0,30 0 0 * * *'],
  ])('%s', (cron, same) => {
    expect(cronProblem(cron, 'UTC')).toBeUndefined();
    expect(calls(cron, 20)).toEqual(calls(same, 20));
  });
});

test.each([
  ['@annually', ['2026-01-01T00:00:00', '2027-01-01T00:00:00']],
  ['@midnight', ['2026-01-01T00:00:00', '2026-01-02T00:00:00']],
  ['@minutely', ['2026-01-01T00:00:00', '2026-01-01T00:01:00']],
  ['@secondly', ['2026-01-01T00:00:00', '2026-01-01T00:00:01']],
  ['@weekdays', ['2026-01-01T00:00:00', '2026-01-02T00:00:00', '2026-01-05T00:00:00']],
  ['@weekends', ['2026-01-03T00:00:00', '2026-01-04T00:00:00', '2026-01-10T00:00:00']],
  ['@hourly', ['2026-01-01T00:00:00', '2026-01-01T01:00:00']],
  ['@daily', ['2026-01-01T00:00:00', '2026-01-02T00:00:00']],
  ['@weekly', ['2026-01-04T00:00:00', '2026-01-11T00:00:00']],
  ['@monthly', ['2026-01-01T00:00:00', '2026-02-01T00:00:00']],
  ['@yearly', ['2026-01-01T00:00:00', '2027-01-01T00:00:00']],
])('%s', (cron, expected) => {
  expect(cronProblem(cron, 'UTC')).toBeUndefined();
  expect(calls(cron, expected.length)).toEqual(expected);
});

describe('what is wrong with an expression', () => {
  test.each([
    '* * * * *',
    '*/5 9-17 * * MON-FRI',
    '0 0 L * ?',
    '30 0 9 1 JAN *',
    ' 0  9\t* * 1 ',
    '@daily',
    ' @daily ',
  ])('nothing: "%s"', (cron) => {
    expect(cronProblem(cron, 'Europe/Zurich')).toBeUndefined();
    expect(calls(cron, 1)).toHaveLength(1);
  });

  test.each([
    ['60 * * * *', "minute '60': expected *, or 0 to 59"],
    ['* 24 * * *', "hour '24': expected *, or 0 to 23"],
    ['* * 0 * *', "day of month '0': expected *, or 1 to 31, ?, or L"],
    ['* * * 13 *', "month '13': expected *, or 1 to 12, or JAN to DEC"],
    ['* * * FOO *', "month 'FOO'"],
    ['* * * * 8', "day of week '8': expected *, or 0 to 7 or SUN to SAT"],
    ['60 * * * * *', "second '60': expected *, or 0 to 59"],
    ['* * * * * MON#6', "day of week 'MON#6'"],
    ['61 25 * * *', "minute '61'"],
    ['* * * * SAT-SUN', "day of week 'SAT-SUN'"],
    ['* 22-2 * * *', "hour '22-2'"],
    ['*/0 * * * *', "minute '*/0'"],
    ['1,,2 * * * *', "minute '1,,2'"],
    ['1,60,1 * * * *', "minute '1,60,1'"],
    ['5- * * * *', "minute '5-'"],
    [', * * * *', "minute ','"],
    ['-1 * * * *', "minute '-1'"],
    ['* * 15W * *', "day of month '15W'"],
    ['* * * * L', "day of week 'L'"],
    ['H * * * *', "minute 'H'"],
    ['* H(1-5)/2 * * *', "hour 'H(1-5)/2'"],
    ['* * * * H', "day of week 'H'"],
    ['1.5 * * * *', "minute '1.5'"],
    ['$where * * * *', "minute '$where'"],
    ['__proto__ * * * *', "minute '__proto__'"],
  ])('a field: %s', (cron, problem) => {
    expect(cronProblem(cron, 'UTC')?.slice(0, problem.length)).toBe(problem);
  });

  test.each([
    ['', 0],
    ['   ', 0],
    ['5', 1],
    ['* * * *', 4],
  ])('how many fields it has: "%s"', (cron, count) => {
    expect(cronProblem(cron, 'UTC')).toBe(
      `expected 5 fields (minute, hour, day of month, month, day of week), or 6 with the second first, not ${count}`,
    );
  });

  test.each(['0 12 * * ? * 2027', '0 0 12 * * ? 2027'])('its year: %s', (cron) => {
    expect(cronProblem(cron, 'UTC')).toMatch(/not 7; years are not understood$/);
  });

  test.each([
    ['0 12 * * ? *', "month '?'"],
    ['0/15 10 * * ? *', "month '?'"],
    ['15 10 ? * MON-FRI *', "hour '?'"],
    ['0 18 ? * 2 *', "hour '?'"],
    ['0 12 * * ? 2027', "month '?'"],
  ])('that it is one of EventBridge, with a year: %s', (cron, field) => {
    const problem = cronProblem(cron, 'UTC') ?? '';
    expect(problem.slice(0, field.length)).toBe(field);
    expect(problem).toMatch(/six fields are second, minute, hour, .* and years are not understood$/);
  });

  test.each(['? * * * *', '0 ? * * *', '0 0 * ? *', '? * * * * *', '?/5 * * * *'])(
    'that ? stands for no day: %s',
    (cron) => {
      expect(cronProblem(cron, 'UTC')).toContain('? stands for any day');
    },
  );

  test.each(['0 9 * * FRI-MON', '0 22-2 * * *', '0 9 * NOV-FEB *'])('that a range wraps: %s', (cron) => {
    expect(cronProblem(cron, 'UTC')).toContain('FRI-MON is written FRI,SAT,SUN,MON');
  });

  test.each(['@fortnightly', '@Daily', '@', '@daily *', 'constructor', '@__proto__'])(
    'its name: %s',
    (cron) => {
      expect(cronProblem(cron, 'UTC')).toMatch(/expected/);
    },
  );

  test.each(['0 0 31 2 *', '0 0 30,31 2 *', '0 0 31 2,4,6,9,11 *'])('it would never be due: %s', (cron) => {
    expect(cronProblem(cron, 'UTC')).toMatch(/^it would never be due/);
  });

  test('its length', () => {
    expect(cronProblem(`${'1,'.repeat(600)}2 * * * *`, 'UTC')).toMatch(/^expected at most 1000 characters/);
  });

  test('its time zone', () => {
    expect(cronProblem('* * * * *', 'Mars/Olympus_Mons')).toMatch(
      /'Mars\/Olympus_Mons' is no IANA time zone/,
    );
  });
});
