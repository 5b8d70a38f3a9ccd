import { createMiddleware } from 'hono/factory';
import type { Logger } from '../../src/index.js';
import { rawPathOf } from './plain-path.js';

/** A path that is longer is an attack or a mistake. */
const MAX_PATH = 200;

/** One line per request: who did what, how it ended. No query, header or body: they may hold secrets. */
export function accessLog(log: Logger) {
  return createMiddleware(async (context, next) => {
    const began = performance.now();
    await next();
    log.info('Request', {
      method: context.req.method,
      path: (rawPathOf(context.env) ?? context.req.path).slice(0, MAX_PATH),
      status: context.res.status,
      durationMs: Math.round(performance.now() - began),
      key: context.get('caller')?.id,
    });
  });
}
