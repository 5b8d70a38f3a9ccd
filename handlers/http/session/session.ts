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
  readonly caller: Caller;
  /** Stands in every form of the session, and must come back with what it sends: no other site knows it. */
  readonly formToken: string;
}

/** A working day and a bit: whoever signs in in the morning is not interrupted. */
const SESSION_SECONDS = 12 * 60 * 60;

const COOKIE = 'session';

const claimsSchema = z.strictObject({
  key: z.string(),
  role: z.enum(roles),
  /** Of the key: another key under the same id does not take a session over. */
  fingerprint: z.string(),
  formToken: z.string(),
  /** In milliseconds since 1970. */
  expires: z.number(),
});

/** Signs in the holder of a key: sets the cookie of a session, signed by the first secret. */
export async function startSession(context: Context, secrets: readonly string[], key: ApiKey): Promise<void> {
  const claims: z.output<typeof claimsSchema> = {
    key: key.id,
    role: key.role,
    fingerprint: fingerprint(key),
    formToken: randomBytes(16).toString('base64url'),
    expires: Date.now() + SESSION_SECONDS * 1000,
  };
  const text = Buffer.from(JSON.stringify(claims)).toString('base64url');
  const [secret] = secrets;
  if (secret === undefined) throw new Error('There is no secret to sign a session with.');
  await setSignedCookie(context, COOKIE, text, secret, {
    ...cookieOptions(context),
    maxAge: SESSION_SECONDS,
  });
}

/**
 * The session of a request: signed by any of the secrets, not expired, and of a key that is configured and has the role
 * it had then. Otherwise undefined.
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

/** Signs out. The session is not kept anywhere: a copy of its cookie is good until it expires. */
export function endSession(context: Context): void {
  deleteCookie(context, COOKIE, cookieOptions(context));
}

function toSession(text: string, apiKeys: readonly ApiKey[]): Session | undefined {
  const { data: claims } = claimsSchema.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  const configured = apiKeys.find(({ id }) => id === claims?.key);
  if (!claims || !configured || claims.expires <= Date.now()) return undefined;
  const { key: id, role, formToken } = claims;
  if (configured.role !== role || fingerprint(configured) !== claims.fingerprint) return undefined;
  return { caller: { id, role }, formToken };
}

/** Of the digest, which is a secret of the configuration: what it is cannot be told from this. */
function fingerprint({ digest }: ApiKey): string {
  return createHash('sha256').update('session').update(digest).digest('base64url');
}
