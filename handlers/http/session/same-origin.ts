import { timingSafeEqual } from 'node:crypto';
import { csrf } from 'hono/csrf';
import { createMiddleware } from 'hono/factory';
import { fieldOf } from '../../../src/mongo/driver-error.js';
import { Problem } from '../problem.js';
import type { Session } from './session.js';

/** Name of the form field with a session's token. */
export const FORM_TOKEN = 'token';

/**
 * Refuses a request that changes something unless it comes from a page of this site, as browsers state in the headers
 * Sec-Fetch-Site and Origin.
 */
export const requireSameOrigin = createMiddleware(async (context, next) => {
  try {
    await checkOrigin(context, next);
  } catch (error) {
    if (fieldOf(error, 'status') !== 403) throw error;
    throw new Problem('sent_from_elsewhere', {
      detail: 'This was not sent by a page of this site. Go back to the dashboard, and try again there.',
    });
  }
});

const checkOrigin = csrf();

export function hasFormToken(form: URLSearchParams, { formToken }: Session): boolean {
  const sent = Buffer.from(form.get(FORM_TOKEN) ?? '');
  const expected = Buffer.from(formToken);
  return sent.length === expected.length && timingSafeEqual(sent, expected);
}
