import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import * as z from 'zod';
import { cookieOptions, cookiePrefix } from '../session/cookie.js';

/** The result of an action, to be shown on the next page. */
export interface Notice {
  readonly kind: 'done' | 'problem';
  readonly text: string;
}

const COOKIE = 'notice';

/**
 * Maximum length of a notice in characters. A cookie may have about 4,000 bytes, and a character may take nine of them.
 */
const MAX_TEXT = 300;

const noticeSchema = z.strictObject({ kind: z.enum(['done', 'problem']), text: z.string() });

/** Redirects to another page, which shows the notice. */
export function redirectWith(context: Context, path: string, { kind, text }: Notice): Response {
  context.set('notice', { kind, text });
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT).toWellFormed()}…` : text.toWellFormed();
  setCookie(context, COOKIE, JSON.stringify({ kind, text: short }), {
    ...cookieOptions(context),
    maxAge: 60,
  });
  return context.redirect(path, 303);
}

/**
 * Returns the notice and deletes it. The script that refreshes pages leaves it for the next page that a person opens.
 */
export function takeNotice(context: Context): Notice | undefined {
  const text = getCookie(context, COOKIE, cookiePrefix(context));
  if (text === undefined || context.req.header('x-refresh') !== undefined) return undefined;
  deleteCookie(context, COOKIE, cookieOptions(context));
  return parse(text);
}

function parse(text: string): Notice | undefined {
  try {
    return noticeSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // Somebody else set this cookie.
  }
}
