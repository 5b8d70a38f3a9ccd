import type { Context } from 'hono';
import { isLoopback } from '../loopback.js';

/**
 * Returns the prefix of every cookie. `__Host-` binds a cookie to this very host, and asks for https. Not every browser
 * takes such a cookie over http from its own machine, so there the cookie has no prefix.
 */
export function cookiePrefix({ req }: Context): 'host' | undefined {
  const { protocol, hostname } = new URL(req.url);
  return protocol === 'http:' && isLoopback(hostname) ? undefined : 'host';
}

/** Returns the options of every cookie. No script reads it, and other sites cannot have it sent. */
export function cookieOptions(context: Context) {
  const prefix = cookiePrefix(context);
  return { path: '/', httpOnly: true, sameSite: 'Strict', ...(prefix && { secure: true, prefix }) } as const;
}
