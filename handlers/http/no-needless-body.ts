import { createMiddleware } from 'hono/factory';
import { Problem } from './problem.js';

/**
 * Refuses a GET or HEAD with a body. Otherwise the body would be ignored, and the sender might get a wrong answer. The
 * standard gives such a body no meaning (RFC 9110, section 9.3.1), and a `Request` cannot have one.
 */
export const refuseNeedlessBody = createMiddleware(async ({ req }, next) => {
  if ((req.method === 'GET' || req.method === 'HEAD') && announcesBody(req.raw.headers)) {
    throw new Problem('needless_body', {
      detail: `A ${req.method} request has no body: what is asked stands in the address.`,
    });
  }
  await next();
});

function announcesBody(headers: Headers): boolean {
  return headers.has('transfer-encoding') || /[1-9]/.test(headers.get('content-length') ?? '');
}
