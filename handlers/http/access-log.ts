import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Logger } from '../../src/index.js';
import { clientAddress } from './client-address.js';
import { rawPathOf } from './plain-path.js';

/** A path that is longer is an attack or a mistake. */
const MAX_PATH = 200;

/** Who may not do what was asked: no key or a wrong one, one that does not suffice, too many wrong ones. */
export const refusals: ReadonlySet<number> = new Set([401, 403, 429]);

/**
 * One line per request: who did what from where, and how it ended; a warning when it was refused. No query, header or body:
 * they may hold secrets.
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
