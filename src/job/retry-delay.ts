import * as z from 'zod';
import { type Duration, durationSchema } from '../duration.js';

/** Between a failed attempt and the next: long enough for a service that restarts. */
export const DEFAULT_RETRY_DELAY_MS = 10_000;

/** The longest wait of an exponential delay, unless it says otherwise. */
const DEFAULT_CAP_MS = 60 * 60 * 1000;

/**
 * Twice as long after each failed attempt, up to `cap`, and of that a random part: "full jitter", so that jobs which
 * failed together do not come back together.
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export interface ExponentialDelay {
  readonly kind: 'exponential';
  /** Before the second attempt, at most. */
  readonly base: Duration;
  /** At most, however many attempts failed. Default 1 hour. */
  readonly cap?: Duration;
}

/** How long to wait after a failed attempt: always the same, or exponential. Data, and so stored on the job. */
export type RetryDelay = Duration | ExponentialDelay;

/** How long to wait after a failed attempt, decided in code. @param attempt counted from 1 */
export type RetryDelayFunction = (failed: { readonly attempt: number; readonly error: unknown }) => Duration;

const exponentialSchema = z.strictObject({
  kind: z.literal('exponential'),
  base: durationSchema,
  cap: durationSchema.default(DEFAULT_CAP_MS),
});

/** Resolved: durations in milliseconds. */
export type ResolvedRetryDelay = number | z.output<typeof exponentialSchema>;

export const retryDelaySchema = z.unknown().transform(parseRetryDelay);

/** Not a union of two schemas, whose errors would also speak of what the value was never meant to be. */
export function parseRetryDelay(value: unknown, context: z.RefinementCtx): ResolvedRetryDelay {
  const isObject = typeof value === 'object' && value !== null;
  const result = (isObject ? exponentialSchema : durationSchema).safeParse(value);
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues) {
    context.addIssue({ code: 'custom', path: [...path], message });
  }
  return z.NEVER;
}

/**
 * Milliseconds to wait after the attempt that failed.
 *
 * @param random from 0 to 1, the part of an exponential delay
 */
export function retryDelayMs(delay: ResolvedRetryDelay, attempt: number, random = Math.random()): number {
  if (typeof delay === 'number') return delay;
  return Math.round(random * Math.min(delay.cap, delay.base * 2 ** (attempt - 1)));
}
