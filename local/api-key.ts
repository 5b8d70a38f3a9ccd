import { createHash, randomBytes } from 'node:crypto';
import type { Role } from '../src/access/role.js';

/** Returns a new API key of 32 random bytes, as text that fits an HTTP header. */
export function makeKey(): string {
  return randomBytes(32).toString('base64url');
}

/** Returns the digest of a key, which the HTTP API keeps instead of the key. */
export function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** Returns the entry of a key for API_KEYS. */
export function entryOf(key: string, id: string, role: Role): string {
  return `${id}:${role}:${digestOf(key).toString('hex')}`;
}
