import { expect, test } from 'vitest';
import { localTime } from '../../src/scheduler/next-call-time.js';
import { isTimeZone } from '../../src/scheduler/time-zone.js';

test.each([
  ['UTC', '2026-03-29T01:00:00Z', '2026-03-29T01:00:00+00:00'],
  ['Europe/Zurich', '2026-03-29T00:59:59.999Z', '2026-03-29T01:59:59+01:00'],
  ['Europe/Zurich', '2026-03-29T01:00:00Z', '2026-03-29T03:00:00+02:00'],
  ['Asia/Kathmandu', '2026-12-31T18:15:00Z', '2027-01-01T00:00:00+05:45'],
  ['America/St_Johns', '2026-01-01T00:00:00Z', '2025-12-31T20:30:00-03:30'],
  ['Pacific/Kiritimati', '2026-01-01T00:00:00Z', '2026-01-01T14:00:00+14:00'],
  ['Africa/Monrovia', '1970-01-01T00:00:00Z', '1969-12-31T23:15:30-00:44:30'],
])('the clock of %s at %s shows %s', (timeZone, moment, expected) => {
  expect(localTime(new Date(moment), timeZone)).toBe(expected);
});

test('a name is that of a time zone when the platform knows it', () => {
  expect(['UTC', 'Europe/Zurich', 'US/Eastern'].map(isTimeZone)).toEqual([true, true, true]);
  expect(['', 'Zurich', 'Mars/Olympus_Mons'].map(isTimeZone)).toEqual([false, false, false]);
});
