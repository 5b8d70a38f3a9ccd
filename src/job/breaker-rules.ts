import * as z from 'zod';
import { type Duration, durationSchema } from '../duration.js';

/** Maximum number of failures. The moment of each is stored. */
const MAX_FAILURES = 1000;

/** Stops a kind of jobs after too many failures, because the service that they need is down. */
export interface CircuitBreaker {
  /** How many attempts must fail within the time, 1 to 1000. A `RemoteException` does not count. */
  readonly failures: number;
  readonly within: Duration;
  /** How long no job starts after too many failures. Then one job is tried. */
  readonly pause: Duration;
}

/** Resolved rules of a circuit breaker. */
export interface BreakerRules {
  readonly failures: number;
  readonly withinMs: number;
  readonly pauseMs: number;
}

const positive = durationSchema.refine((duration) => duration > 0, 'expected more than 0');

/** Schema of `circuitBreaker` in a definition. Resolves the option. Its type is written out for older versions of zod. */
export const breakerSchema: z.ZodType<BreakerRules> = z
  .strictObject({ failures: z.int().min(1).max(MAX_FAILURES), within: positive, pause: positive })
  .transform(({ failures, within: withinMs, pause: pauseMs }) => ({ failures, withinMs, pauseMs }));

const PREFIX = 'breaker ';

/** Matches the keys of all circuit breakers: a space is the first printable character, and `!` the next. */
export const anyBreakerKey = { $gte: PREFIX, $lt: 'breaker!' } as const;

/** Returns the key of the circuit breaker of a kind of jobs. No other limit has such a key. */
export function breakerKeyOf(jobName: string): string {
  return `${PREFIX}${jobName}`;
}

/** Returns the kind of jobs whose circuit breaker has this key, or undefined for another limit. */
export function jobNameOfBreaker(key: string): string | undefined {
  return /^breaker ([\w.:/-]{1,100})$/.exec(key)?.[1];
}
