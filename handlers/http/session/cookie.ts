import type { Context } from 'hono';
import { isLoopback } from '../loopback.js';

/**
 * Of every cookie: `__Host-` binds it to this very host, and asks for https. A browser takes such a cookie over http from
 * its own machine at most, and not every browser does that; so there it has no prefix.
 */
export function cookiePrefix({ req }: Context): 'host' | undefined {
  const { protocol, hostname } = new URL(req.url);
  return protocol === 'http:' && isLoopback(hostname) ? undefined : 'host';
}

/** Of every cookie: no script reads it, and no other site has it sent. */
export function cookieOptions(context: Context) {
  const prefix = cookiePrefix(context);
  return { path: '/', httpOnly: true, sameSite: 'Strict', ...(prefix && { secure: true, prefix }) } as const;
}
