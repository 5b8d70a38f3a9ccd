import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Logger } from '../../src/index.js';
import { clientAddress } from './client-address.js';
import { rawPathOf } from './plain-path.js';
import { shownPath } from './shown-path.js';

/** Statuses of refused callers: a missing, wrong or insufficient key, or too many wrong ones. */
export const refusals: ReadonlySet<number> = new Set([401, 403, 429]);

/**
 * Logs a line per request: who did what from where, and how it ended. Refused requests are logged as warnings. Queries,
 * headers and bodies are not logged, because they may contain secrets.
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
    path: shownPath(rawPathOf(env) ?? req.path),
    status: res.status,
    address: clientAddress(env),
    key: get('caller')?.id,
  };
}
