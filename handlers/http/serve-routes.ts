import { Hono } from 'hono';
import type { Logger } from '../../src/index.js';
import { requireRole } from './access.js';
import { maxBytesFor } from './answer-size.js';
import { auditRoute } from './audit/audit-route.js';
import { Problem } from './problem.js';
import type { Route, Services } from './route.js';

/** Serves the routes to identified callers, and records what they change. */
export function serveRoutes(routes: readonly Route[], services: Services, log: Logger): Hono {
  const app = new Hono();
  for (const route of routes) {
    const { method, role, handle } = route;
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1');
    const audit = auditRoute(route, services.processor, log);
    app.on(method, path, audit, requireRole(role), async ({ req, get, env }) => {
      const caller = get('caller');
      if (!caller) throw new Problem('unauthorized');
      const { id: callerId, role: callerRole } = caller;
      const maxBytes = maxBytesFor(env);
      return handle({ raw: req.raw, parameters: req.param(), callerId, callerRole, maxBytes }, services);
    });
  }
  return app;
}
