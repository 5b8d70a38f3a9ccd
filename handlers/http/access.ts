import { createHash, timingSafeEqual } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import { type Role, suffices } from '../../src/access/role.js';
import type { ApiKey } from '../../src/config.js';
import { clientAddress } from './client-address.js';
import { Problem } from './problem.js';
import type { WrongKeys } from './wrong-keys.js';

/** The sender of a request, and the sender's role. */
export interface Caller {
  /** The name in logs: the id of the API key, or the ARN of the AWS identity that signed the request. */
  readonly id: string;
  readonly role: Role;
  /** `cli` for a request of the command line. Undefined for a caller with a key. */
  readonly via?: 'cli';
}

declare module 'hono' {
  interface ContextVariableMap {
    /** The caller. Undefined on routes that need no key. */
    caller: Caller | undefined;
  }
}

/** Headers of an answer that asks for a key. */
export const challenge = { 'www-authenticate': 'Bearer realm="remote-processor"' };

/**
 * Admits only requests with a key: `Authorization: Bearer <key>`. A valid key always passes. Wrong keys are counted by
 * address. An address beyond the limit is told to wait.
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

/**
 * Returns the problem for a missing or wrong key.
 * @param limitedMs how long the address must wait, if it is over its limit
 */
function refusal(limitedMs: number | undefined): Problem {
  const detail = 'Send a valid key: Authorization: Bearer <key>';
  if (limitedMs === undefined) return new Problem('unauthorized', { detail, headers: challenge });
  return new Problem('too_many_wrong_keys', {
    detail: `Too many wrong keys came from this address. ${detail}`,
    headers: { 'retry-after': String(Math.ceil(limitedMs / 1000)) },
  });
}

/** Admits only callers with at least this role. Use it after `requireKey`. */
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
 * Returns the entry of a key, if there is one. All digests are compared, each in constant time. So the time taken
 * reveals neither how close a guess was nor which entry it matched. The empty text is nobody's key.
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

/** Returns the key in the header, or the empty text, which is nobody's key. */
function bearerToken(header = ''): string {
  return /^Bearer +([^ ]+)$/i.exec(header.trim())?.[1] ?? '';
}
