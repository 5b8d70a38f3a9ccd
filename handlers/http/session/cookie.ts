import type { Context } from 'hono';
import { isLoopback } from '../loopback.js';

/**
 * Returns the prefix of our cookies' names. `__Host-` binds a cookie to this host, and requires https. Over http on
 * loopback, the names have no prefix, since some browsers refuse such a cookie there.
 */
export function cookiePrefix({ req }: Context): 'host' | undefined {
  const { protocol, hostname } = new URL(req.url);
  return protocol === 'http:' && isLoopback(hostname) ? undefined : 'host';
}

/** Returns the options of our cookies. Scripts cannot read them, and requests from other sites do not include them. */
export function cookieOptions(context: Context) {
  const prefix = cookiePrefix(context);
  return { path: '/', httpOnly: true, sameSite: 'Strict', ...(prefix && { secure: true, prefix }) } as const;
}
