import { createHash, randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import * as z from 'zod';
import { roles } from '../../../src/access/role.js';
import type { ApiKey } from '../../../src/config.js';
import type { Caller } from '../access.js';
import { cookieOptions, cookiePrefix } from './cookie.js';

/** A signed-in user. */
export interface Session {
  /** Id by which the session is ended. Other sessions with the same key have other ids. */
  readonly id: string;
  readonly caller: Caller;
  /** Token that every form of the session must contain. No other site knows it. */
  readonly formToken: string;
  /** When the session ends at the latest. */
  readonly expires: Date;
  /** When the user was last active, as recorded in this copy of the cookie. */
  readonly used: Date;
}

/**
 * Idle time that ends a session, in milliseconds. After a longer time, somebody else may sit at the screen, or use a
 * copied cookie.
 */
const IDLE_MS = 60 * 60_000;

/**
 * Age from which a cookie is signed again, in milliseconds. A younger cookie is kept, so that most requests sign none.
 */
const RENEW_AFTER_MS = 60_000;

/**
 * Maximum duration of a session, in seconds. It is a little more than a working day, so a session that starts in the
 * morning is not interrupted.
 */
const SESSION_SECONDS = 12 * 60 * 60;

const COOKIE = 'session';

const claimsSchema = z.strictObject({
  id: z.string(),
  key: z.string(),
  role: z.enum(roles),
  /** Fingerprint of the key. It keeps another key with the same id from taking over the session. */
  fingerprint: z.string(),
  formToken: z.string(),
  /** End of the session, in milliseconds since 1970, like `used`. */
  expires: z.number(),
  used: z.number(),
});

/** Signs in the holder of a key. Sets the session's cookie, signed by the first secret. */
export async function startSession(context: Context, secrets: readonly string[], key: ApiKey): Promise<void> {
  const now = Date.now();
  await setCookie(context, secrets, {
    id: randomBytes(16).toString('base64url'),
    key: key.id,
    role: key.role,
    fingerprint: fingerprint(key),
    formToken: randomBytes(16).toString('base64url'),
    expires: now + SESSION_SECONDS * 1000,
    used: now,
  });
}

/** Signs the cookie again after an action, unless that was done recently. This does not extend the session's end. */
export async function renewSession(
  context: Context,
  secrets: readonly string[],
  apiKeys: readonly ApiKey[],
  { id, caller, formToken, expires, used }: Session,
): Promise<void> {
  const now = Date.now();
  const key = apiKeys.find((configured) => configured.id === caller.id);
  if (!key || now - used.getTime() < RENEW_AFTER_MS) return;
  await setCookie(context, secrets, {
    id,
    key: key.id,
    role: key.role,
    fingerprint: fingerprint(key),
    formToken,
    expires: expires.getTime(),
    used: now,
  });
}

async function setCookie(
  context: Context,
  [secret]: readonly string[],
  claims: z.output<typeof claimsSchema>,
): Promise<void> {
  if (secret === undefined) throw new Error('There is no secret to sign a session with.');
  const text = Buffer.from(JSON.stringify(claims)).toString('base64url');
  const maxAge = Math.ceil((claims.expires - Date.now()) / 1000);
  await setSignedCookie(context, COOKIE, text, secret, { ...cookieOptions(context), maxAge });
}

/**
 * Returns the session in a request's cookie. Undefined unless the cookie is signed by one of the secrets, and the
 * session has neither expired nor been idle too long. The session's API key must also be configured unchanged, with the
 * same role. Does not check for a sign-out, see `EndedSessions`.
 */
export async function readSession(
  context: Context,
  secrets: readonly string[],
  apiKeys: readonly ApiKey[],
): Promise<Session | undefined> {
  for (const secret of secrets) {
    const text = await getSignedCookie(context, secret, COOKIE, cookiePrefix(context));
    if (text) return toSession(text, apiKeys);
  }
  return undefined;
}

/** Deletes the cookie of this browser. */
export function forgetSession(context: Context): void {
  deleteCookie(context, COOKIE, cookieOptions(context));
}

function toSession(text: string, apiKeys: readonly ApiKey[]): Session | undefined {
  const { data: claims } = claimsSchema.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  const configured = apiKeys.find(({ id }) => id === claims?.key);
  if (!claims || !configured || isOver(claims)) return undefined;
  const { id, key, role, formToken } = claims;
  if (configured.role !== role || fingerprint(configured) !== claims.fingerprint) return undefined;
  const [expires, used] = [new Date(claims.expires), new Date(claims.used)];
  return { id, caller: { id: key, role }, formToken, expires, used };
}

function isOver({ expires, used }: z.output<typeof claimsSchema>): boolean {
  const now = Date.now();
  return expires <= now || used + IDLE_MS <= now;
}

/**
 * Returns a hash of the key's digest. The digest is part of the secret settings, and cannot be derived from the hash.
 */
function fingerprint({ digest }: ApiKey): string {
  return createHash('sha256').update('session').update(digest).digest('base64url');
}
