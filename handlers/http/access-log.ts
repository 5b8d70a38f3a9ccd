import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Logger } from '../../src/index.js';
import { clientAddress } from './client-address.js';
import { rawPathOf } from './plain-path.js';

/** A longer path is an attack or a mistake. */
const MAX_PATH = 200;

/** The statuses for callers with a missing, wrong or insufficient key, or too many wrong ones. */
export const refusals: ReadonlySet<number> = new Set([401, 403, 429]);

/**
 * Logs one line per request: who did what from where, and how it ended. A refused request is a warning. Queries, headers and
 * bodies may hold secrets, and are not logged.
 */
export function accessLog(log: Logger) {
  return createMiddleware(async (context, next) => {
    const began = performance.now();
    await next();
    const isRefused = refusals.has(context.res.status);
    const line = { ...factsOf(context), durationMs: Math.round(performance.now() - began) };
    if (isRefused) log.warn('Request refused', line);
    else log.info('Request', line);
  });
}

function factsOf({ req, res, env, get }: Context) {
  return {
    method: req.method,
    path: (rawPathOf(env) ?? req.path).slice(0, MAX_PATH),
    status: res.status,
    address: clientAddress(env),
    key: get('caller')?.id,
  };
}
