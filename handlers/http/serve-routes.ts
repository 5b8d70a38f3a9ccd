import { Hono } from 'hono';
import { requireRole } from './access.js';
import { maxBytesFor } from './answer-size.js';
import { Problem } from './problem.js';
import type { Route, Services } from './route.js';

/** Serves the routes to identified callers. */
export function serveRoutes(routes: readonly Route[], services: Services): Hono {
  const app = new Hono();
  for (const { method, path, role, handle } of routes) {
    app.on(method, path.replaceAll(/\{(\w+)\}/g, ':$1'), requireRole(role), async ({ req, get, env }) => {
      const caller = get('caller');
      if (!caller) throw new Problem('unauthorized');
      const { id: callerId, role: callerRole } = caller;
      const maxBytes = maxBytesFor(env);
      return handle({ raw: req.raw, parameters: req.param(), callerId, callerRole, maxBytes }, services);
    });
  }
  return app;
}
