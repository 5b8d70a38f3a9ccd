import { createHash, randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import * as z from 'zod';
import { roles } from '../../../src/access/role.js';
import type { ApiKey } from '../../../src/config.js';
import type { Caller } from '../access.js';
import { cookieOptions, cookiePrefix } from './cookie.js';

/** Who is signed in. */
export interface Session {
  /** Tells it from others of the same key: by it it is ended. */
  readonly id: string;
  readonly caller: Caller;
  /** Stands in every form of the session, and must come back with what it sends: no other site knows it. */
  readonly formToken: string;
  /** When it ends, whatever happens. */
  readonly expires: Date;
  /** When its holder last did something: in all copies of the cookie that were made then. */
  readonly used: Date;
}

/** Nobody does anything for so long: the screen is somebody else's by now, or the copy of a cookie was put aside. */
const IDLE_MS = 60 * 60_000;

/** Not with each request: so old the cookie gets before it is signed anew. */
const RENEW_AFTER_MS = 60_000;

/** A working day and a bit: whoever signs in in the morning is not interrupted. */
const SESSION_SECONDS = 12 * 60 * 60;

const COOKIE = 'session';

const claimsSchema = z.strictObject({
  id: z.string(),
  key: z.string(),
  role: z.enum(roles),
  /** Of the key: another key under the same id does not take a session over. */
  fingerprint: z.string(),
  formToken: z.string(),
  /** In milliseconds since 1970, as is `used`. */
  expires: z.number(),
  used: z.number(),
});

/** Signs in the holder of a key: sets the cookie of a session, signed by the first secret. */
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

/** Its holder did something: the cookie is signed anew, if that was not done just now. It ends no later for that. */
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
 * The session of a request: signed by any of the secrets, neither expired nor idle for too long, and of a key that is
 * configured and has the role it had then. Otherwise undefined. Whether its holder signed out, EndedSessions knows.
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

/** Takes the cookie away, of this browser. */
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

/** Of the digest, which is a secret of the configuration: what it is cannot be told from this. */
function fingerprint({ digest }: ApiKey): string {
  return createHash('sha256').update('session').update(digest).digest('base64url');
}
