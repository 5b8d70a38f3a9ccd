import { createHash, timingSafeEqual } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import { type Role, suffices } from '../../src/access/role.js';
import type { ApiKey } from '../../src/config.js';
import { Problem } from './problem.js';

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

/** Lets only those pass who send a key: `Authorization: Bearer <key>`. */
export function requireKey(apiKeys: readonly ApiKey[]) {
  return createMiddleware(async ({ req, set }, next) => {
    if (apiKeys.length === 0) {
      const detail = 'Every request is refused until API_KEYS has an entry of the form id:role:sha256.';
      throw new Problem('no_api_keys', { detail, headers: challenge });
    }
    const caller = findKey(apiKeys, bearerToken(req.header('authorization')));
    if (!caller) {
      const detail = 'Send a valid key: Authorization: Bearer <key>';
      throw new Problem('unauthorized', { detail, headers: challenge });
    }
    set('caller', caller);
    await next();
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
