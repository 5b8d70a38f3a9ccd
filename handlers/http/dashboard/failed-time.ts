import { durationSchema } from '../../../src/duration.js';
import type { JobsFilter } from '../../../src/index.js';

type FailedTime = Pick<JobsFilter, 'endedAfter' | 'endedBefore'>;

/**
 * Reads the time of a word `failed`. `<1h` means within the last hour, and `>1h` means before that. A text of
 * `failedBetween` means from one moment to another. Returns undefined for any other text.
 */
export function failedTime(value: string, now: Date): FailedTime | undefined {
  return relative(value, now) ?? between(value);
}

/** The forms that `failedTime` can read, in words. */
export const FAILED_TIMES =
  'expected <1h for within the last hour, >1h for before that, or 2026-01-31T09:00Z..2026-01-31T10:00Z';

/** Returns the text of a time that lasts from one minute to another. */
export function failedBetween(from: Date, to: Date): string {
  return `${minuteText(from)}..${minuteText(to)}`;
}

function relative(value: string, now: Date): FailedTime | undefined {
  const [, side, duration = ''] = /^([<>])(.+)$/.exec(value) ?? [];
  const { data: ms } = durationSchema.safeParse(duration);
  if (side === undefined || ms === undefined || ms <= 0) return undefined;
  const at = new Date(now.getTime() - ms);
  return side === '<' ? { endedAfter: at } : { endedBefore: at };
}

function between(value: string): FailedTime | undefined {
  const [, from = '', to = ''] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\dZ)\.\.(\d{4}-\d\d-\d\dT\d\d:\d\dZ)$/.exec(value) ?? [];
  const [endedAfter, endedBefore] = [new Date(from), new Date(to)];
  return endedAfter < endedBefore ? { endedAfter, endedBefore } : undefined;
}

function minuteText(at: Date): string {
  return `${at.toISOString().slice(0, 16)}Z`;
}
