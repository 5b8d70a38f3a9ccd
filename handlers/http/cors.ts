import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';

/** Stands for every origin. */
export const ANY_ORIGIN = '*';

/** For how long a browser need not ask again; Chrome heeds two hours at most. */
const MAX_AGE_SECONDS = 7_200;

/** What requests have that are signed with credentials of AWS, beside `Authorization`. */
const ofSignatures = ['X-Amz-Date', 'X-Amz-Security-Token', 'X-Amz-Content-Sha256'];

/** Whether pages of this origin may call the API. */
export function allowsOrigin(origins: readonly string[], origin: string): boolean {
  return origins.includes(ANY_ORIGIN) || origins.includes(origin);
}

/**
 * Lets pages of these origins call the API (CORS), with a key: nothing that a browser sends by itself, such as the
 * cookie of the dashboard, comes along.
 */
export function allowOrigins(origins: readonly string[]): MiddlewareHandler {
  return cors({
    origin: origins.includes(ANY_ORIGIN) ? ANY_ORIGIN : [...origins],
    allowMethods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    allowHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', ...ofSignatures],
    exposeHeaders: ['Location', 'Retry-After', 'Idempotent-Replayed', 'Allow', 'WWW-Authenticate'],
    maxAge: MAX_AGE_SECONDS,
  });
}
