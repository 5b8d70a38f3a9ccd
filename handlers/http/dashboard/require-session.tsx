import { createMiddleware } from 'hono/factory';
import { type Role, suffices } from '../../../src/access/role.js';
import { Problem } from '../problem.js';
import { hasFormToken } from '../session/same-origin.js';
import type { Session } from '../session/session.js';
import type { DashboardEnvironment } from './environment.js';
import { readForm } from './read-form.js';

/**
 * Admits only requests with a session. Redirects others to the sign-in, which leads back. A request that changes
 * something must be a form with the session's token.
 */
export const requireSession = createMiddleware<DashboardEnvironment>(async (context, next) => {
  const { req, env, set } = context;
  const { session } = env;
  const isSafe = req.method === 'GET' || req.method === 'HEAD';
  if (!session) {
    if (isSafe && req.header('sec-fetch-site') === 'cross-site') return context.html(<SameAddressAgain />);
    return context.redirect(isSafe ? signInPath(req.url) : '/sign-in', 303);
  }
  set('session', session);
  if (!isSafe) {
    const form = await readForm(req.raw);
    if (!hasFormToken(form, session)) {
      throw new Problem('page_outdated', { detail: 'It is of another session. Load it again.' });
    }
    set('form', form);
  }
  return next();
});

/** Admits only users with at least this role. */
export function requireRole(role: Role) {
  return createMiddleware<DashboardEnvironment>(async (context, next) => {
    const session = context.get('session');
    if (!may(session, role)) {
      const detail = `The role '${role}' is required, you have '${session.caller.role}'.`;
      throw new Problem('forbidden', { detail });
    }
    await next();
  });
}

/** Returns whether the user has at least this role. */
export function may({ caller }: Session, role: Role): boolean {
  return suffices(caller.role, role);
}

/**
 * A page that loads the same URL again. A browser that follows a link from another site sends no cookie of ours
 * (SameSite=Strict). The request of this page comes from our own site, so the cookie is sent.
 */
function SameAddressAgain() {
  return (
    <html lang="en">
      <head>
        <meta http-equiv="refresh" content="0" />
        <title>Remote Processor</title>
      </head>
    </html>
  );
}

function signInPath(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname === '/' ? '/sign-in' : `/sign-in?${new URLSearchParams({ next: pathname + search })}`;
}
