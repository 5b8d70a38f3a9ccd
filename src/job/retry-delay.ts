import * as z from 'zod';
import { type Duration, durationSchema } from '../duration.js';

/** Default delay before the next attempt, long enough for a service to restart. */
export const DEFAULT_RETRY_DELAY_MS = 10_000;

/** Default maximum of an exponential delay. */
const DEFAULT_CAP_MS = 60 * 60 * 1000;

/**
 * Delay that doubles after each failed attempt, up to `cap`. A random part of it is used ("full jitter"), so that jobs
 * that failed together are not retried together. Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture
 * Blog, 2015.
 */
export interface ExponentialDelay {
  readonly kind: 'exponential';
  /** Maximum delay before the second attempt. */
  readonly base: Duration;
  /** Maximum delay after any number of attempts. Default 1 hour. */
  readonly cap?: Duration;
}

/** Delay after a failed attempt: constant or exponential. Plain data, so it is stored on the job. */
export type RetryDelay = Duration | ExponentialDelay;

/** Returns the delay after a failed attempt. `attempt` counts from 1. */
export type RetryDelayFunction = (failed: { readonly attempt: number; readonly error: unknown }) => Duration;

const exponentialSchema = z.strictObject({
  kind: z.literal('exponential'),
  base: durationSchema,
  cap: durationSchema.default(DEFAULT_CAP_MS),
});

/** Resolved delay, with durations in milliseconds. */
export type ResolvedRetryDelay =
  | number
  | { readonly kind: 'exponential'; readonly base: number; readonly cap: number };

export const retryDelaySchema = z.unknown().transform(parseRetryDelay);

/** Parses with one of two schemas, chosen by the value's type. A union would report the issues of both. */
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
 * Returns the milliseconds to wait after a failed attempt.
 *
 * @param random from 0 to 1, the part of an exponential delay
 */
export function retryDelayMs(delay: ResolvedRetryDelay, attempt: number, random = Math.random()): number {
  if (typeof delay === 'number') return delay;
  return Math.round(random * Math.min(delay.cap, delay.base * 2 ** (attempt - 1)));
}
