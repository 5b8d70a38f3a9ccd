import { createHash, timingSafeEqual } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import { type Role, suffices } from '../../src/access/role.js';
import type { ApiKey } from '../../src/config.js';
import { clientAddress } from './client-address.js';
import { Problem } from './problem.js';
import type { WrongKeys } from './wrong-keys.js';

/** Who sent a request, and what he may do. */
export interface Caller {
  /** Stands in logs: the id of the key, or the name that a signed request was signed in. */
  readonly id: string;
  readonly role: Role;
}

declare module 'hono' {
  interface ContextVariableMap {
    /** Undefined where everybody may call. */
    caller: Caller | undefined;
  }
}

/** What an answer has that asks for a key. */
export const challenge = { 'www-authenticate': 'Bearer realm="remote-processor"' };

/**
 * Lets only those pass who send a key: `Authorization: Bearer <key>`. A right one always passes; wrong ones are counted by
 * address, and past the limit told to wait.
 */
export function requireKey(apiKeys: readonly ApiKey[], wrongKeys: WrongKeys) {
  return createMiddleware(async ({ req, set, env }, next) => {
    if (apiKeys.length === 0) {
      const detail = 'Every request is refused until API_KEYS has an entry of the form id:role:sha256.';
      throw new Problem('no_api_keys', { detail, headers: challenge });
    }
    const token = bearerToken(req.header('authorization'));
    const caller = findKey(apiKeys, token);
    if (!caller) throw refusal(token === '' ? undefined : await wrongKeys.count(clientAddress(env)));
    set('caller', caller);
    await next();
  });
}

/** @param limitedMs for how long the address is past its limit */
function refusal(limitedMs: number | undefined): Problem {
  const detail = 'Send a valid key: Authorization: Bearer <key>';
  if (limitedMs === undefined) return new Problem('unauthorized', { detail, headers: challenge });
  return new Problem('too_many_wrong_keys', {
    detail: `Too many wrong keys came from this address. ${detail}`,
    headers: { 'retry-after': String(Math.ceil(limitedMs / 1000)) },
  });
}

/** Lets only those pass whose role is at least this one. Goes after `requireKey`. */
export function requireRole(role: Role) {
  return createMiddleware(async ({ get }, next) => {
    const held = get('caller')?.role;
    if (held === undefined || !suffices(held, role)) {
      throw new Problem('forbidden', { detail: `The role '${role}' is required, the key has '${held}'.` });
    }
    await next();
  });
}

/**
 * The entry of a key. Digests are compared, all of them and each in constant time, so that the time it takes
 * tells nothing about how close a guess was, nor about which entry it met. The empty text is nobody's key.
 */
export function findKey(apiKeys: readonly ApiKey[], token: string): ApiKey | undefined {
  if (token === '') return undefined;
  const digest = createHash('sha256').update(token).digest();
  let found: ApiKey | undefined;
  for (const key of apiKeys) {
    if (timingSafeEqual(key.digest, digest)) found = key;
  }
  return found;
}

/** The empty string, which is nobody's key, when there is none. */
function bearerToken(header = ''): string {
  return /^Bearer +([^ ]+)$/i.exec(header.trim())?.[1] ?? '';
}
