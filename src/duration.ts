import { inspect } from 'node:util';
import ms from 'ms';
import * as z from 'zod';

/** Milliseconds, or a string such as `'10s'`, `'5m'`, `'2 days'` (as the `ms` package reads it). Fractions are rounded up. */
export type Duration = number | string;

/** The longest duration. A longer one is a mistake, and a date plus that duration could exceed the range of a Date. */
const MAX_DURATION_MS = ms('100 years');

/**
 * Parses a `Duration` to whole milliseconds, from zero to 100 years. Rounds fractions up, so that nothing happens
 * sooner than requested.
 */
export const durationSchema = z
  .union([z.number(), z.string()], { error: ({ input }) => explain(input) })
  .transform((value, context) => {
    const milliseconds = typeof value === 'number' ? value : parseDuration(value);
    if (milliseconds >= 0 && milliseconds <= MAX_DURATION_MS) return roundUp(milliseconds);
    context.addIssue({ code: 'custom', message: explain(value) });
    return z.NEVER;
  });

/** The longest time that Node's timers can wait, 24.8 days. A timer with a longer time fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** A `Duration` for a timer. */
export const timerDurationSchema = durationSchema.refine(
  (duration) => duration <= MAX_TIMER_MS,
  'expected at most 24 days',
);

function explain(value: unknown): string {
  return `expected milliseconds, or a string such as '10s' or '5m', up to 100 years, not ${inspect(value, { depth: 0, maxStringLength: 100, customInspect: false })}`;
}

/** Parses `'10s'` to 10000, and an invalid text to NaN. A number without a unit is refused, except 0. */
function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (text.length > 100 || !/[a-z]$/i.test(text)) return Number.NaN;
  // The type of `ms` admits only valid literals. At run time any string is safe and gives undefined if invalid.
  const milliseconds: number | undefined = ms(text as ms.StringValue);
  return milliseconds ?? Number.NaN;
}

/** Rounds up. Drops a fraction below a millionth, because that is a rounding error, as with 1.1 hours. */
function roundUp(milliseconds: number): number {
  return Math.ceil(Number(milliseconds.toFixed(6)));
}
