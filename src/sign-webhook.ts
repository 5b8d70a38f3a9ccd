import { createHmac } from 'node:crypto';

/**
 * Returns headers that prove to a receiver that the body is ours and fresh, as standardwebhooks.com defines them:
 *
 * - `webhook-id`: the same at every attempt, such as a job's id
 * - `webhook-timestamp`: seconds since 1970, so that a receiver can refuse bodies older than some minutes
 * - `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`
 *
 * @param secret text, or `whsec_` and base64, as that standard's libraries write it. Without it, there is no signature
 */
export function signedHeaders(
  secret: string | undefined,
  id: string,
  body: string,
  now: Date,
): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (secret === undefined) return headers;
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${signature}` };
}

function keyOf(secret: string): Buffer {
  const prefix = 'whsec_';
  return secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), 'base64') : Buffer.from(secret);
}
