import { inspect } from 'node:util';
import ms from 'ms';
import * as z from 'zod';

/** Milliseconds, or a string such as `'10s'`, `'5m'`, `'2 days'` (as the `ms` package reads it). A part of one counts as one. */
export type Duration = number | string;

/** Longer ones are mistakes, and their sum with a date could lie beyond what a date can be. */
const MAX_DURATION_MS = ms('100 years');

/**
 * Parses a `Duration` into whole milliseconds, from zero to 100 years; anything else is refused. A fraction is rounded up,
 * since nothing should come sooner than was asked.
 */
export const durationSchema = z
  .union([z.number(), z.string()], { error: ({ input }) => explain(input) })
  .transform((value, context) => {
    const milliseconds = typeof value === 'number' ? value : parseDuration(value);
    if (milliseconds >= 0 && milliseconds <= MAX_DURATION_MS) return roundUp(milliseconds);
    context.addIssue({ code: 'custom', message: explain(value) });
    return z.NEVER;
  });

/** The longest that Node's timers wait, 24.8 days; beyond it they fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** A `Duration` that a timer is set to. */
export const timerDurationSchema = durationSchema.refine(
  (duration) => duration <= MAX_TIMER_MS,
  'expected at most 24 days',
);

function explain(value: unknown): string {
  return `expected milliseconds, or a string such as '10s' or '5m', up to 100 years, not ${inspect(value, { depth: 0, maxStringLength: 100, customInspect: false })}`;
}

/** `'10s'` → 10000; NaN for what is not a duration. A bare number in a string is refused, except 0: its unit is unclear. */
function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (text.length > 100 || !/[a-z]$/i.test(text)) return Number.NaN;
  // The type of `ms` admits only well-formed literals; any string is safe at run time and gives undefined.
  const milliseconds: number | undefined = ms(text as ms.StringValue);
  return milliseconds ?? Number.NaN;
}

/** What lies within a millionth above a whole number is one that was calculated, such as 1.1 hours. */
function roundUp(milliseconds: number): number {
  return Math.ceil(Number(milliseconds.toFixed(6)));
}
