import { Hono } from 'hono';
import { once } from '../../once.js';
import { Problem } from '../problem.js';
import { readSession } from '../session/session.js';
import type { DashboardOptions } from './dashboard.js';

/** All paths outside the API. */
const paths = ['/', '/sign-in', '/sign-out', '/dashboard', '/dashboard/*'];

/**
 * Serves the dashboard and its sign-in. Loads them at the first request, so that a function that serves only the API
 * starts faster.
 *
 * @param options without `sessionSecrets` the dashboard is off, and a page explains that
 */
export function dashboardRoutes(options: DashboardOptions) {
  const { sessionSecrets, apiKeys } = options;
  const routes = new Hono<{ Bindings: object }>();
  const dashboard = once(async () => (await import('./dashboard.js')).createDashboard(options));
  for (const path of paths) {
    routes.all(path, async (context) => {
      if (sessionSecrets.length === 0) return explainOff(context.req.header('accept'));
      const session = await readSession(context, sessionSecrets, apiKeys);
      context.set('caller', session?.caller);
      return (await dashboard()).fetch(context.req.raw, { ...context.env, session });
    });
  }
  return routes;
}

const reason =
  'The dashboard is off: set SESSION_SECRETS to a secret of at least 32 characters, such as one of openssl rand -hex 32. The API under /v1 is not concerned.';

/** Explains that the dashboard is off. A browser gets a page, and any other client gets a problem document. */
function explainOff(accept = ''): Response {
  if (!accept.includes('text/html')) return new Problem('dashboard_off', { detail: reason }).toResponse();
  const page = `<!doctype html><html lang="en"><title>Remote Processor</title><h1>Remote Processor</h1><p>${reason}</p></html>`;
  return new Response(page, { status: 404, headers: { 'content-type': 'text/html; charset=utf-8' } });
}
