import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';

/** Stands for any origin. */
export const ANY_ORIGIN = '*';

/** How long a browser may cache the permission. Chrome limits it to two hours. */
const MAX_AGE_SECONDS = 7_200;

/** Headers of requests signed with AWS credentials, besides `Authorization`. */
const ofSignatures = ['X-Amz-Date', 'X-Amz-Security-Token', 'X-Amz-Content-Sha256'];

export function allowsOrigin(origins: readonly string[], origin: string): boolean {
  return origins.includes(ANY_ORIGIN) || origins.includes(origin);
}

/**
 * Lets pages of these origins call the API with a key (CORS). Browsers send no cookies with such calls, so they never
 * act for a person who is signed in to the dashboard.
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
