import { createMiddleware } from 'hono/factory';
import { allowsOrigin } from './cors.js';
import { isLoopback } from './loopback.js';
import { Problem } from './problem.js';

/**
 * Admits only requests addressed to loopback or to one of this server's names, and refuses pages of other sites. The
 * Host header reveals a site whose name points to this machine (DNS rebinding). The Origin header reveals a page of
 * another site. Programs send no Origin.
 *
 * @param names further names, without ports, with IPv6 addresses in brackets
 * @param corsOrigins origins of other sites whose pages may call the API, which requires a key. They may not call the
 *   dashboard
 */
export function requireKnownHost(names: readonly string[], corsOrigins: readonly string[]) {
  const known = new Set(names.map((name) => name.toLowerCase()));
  return createMiddleware(async ({ req }, next) => {
    const host = req.header('host') ?? new URL(req.url).host;
    const hostname = hostnameOf(host);
    if (hostname === undefined || !(isLoopback(hostname) || known.has(hostname))) {
      throw new Problem('unknown_host', {
        detail:
          'This server is not known by the name it was called by. Name it in ALLOWED_HOSTS if it is right.',
      });
    }
    const origin = req.header('origin');
    const isAllowed = origin !== undefined && isOfApi(req.path) && allowsOrigin(corsOrigins, origin);
    if (!isAllowed && !isOfThisSite(origin, req.header('sec-fetch-site'), host)) {
      throw new Problem('sent_from_elsewhere', { detail: 'Pages of other sites may not call this server.' });
    }
    await next();
  });
}

function isOfApi(path: string): boolean {
  return path.startsWith('/v1/');
}

function isOfThisSite(origin: string | undefined, site: string | undefined, host: string): boolean {
  if (origin === undefined || site === 'same-origin') return true;
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

/** Returns the host without its port, in lower case. Undefined for an invalid host. */
function hostnameOf(host: string): string | undefined {
  return /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
}
