import type { Issue } from '../../src/index.js';
import { parseJson } from './parse-json.js';
import { Problem } from './problem.js';

/** Maximum size of a body, and so of a job's input. Larger data should be stored elsewhere and referred to. */
export const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Reads the body of a request, which must be a JSON object. No code except `JSON.parse` touches the text. So every key,
 * even `__proto__`, is an own property and gets validated.
 *
 * @throws Problem
 */
export async function readJsonObject(request: Request): Promise<object> {
  requireJson(request);
  return parseObject(await readBytes(request));
}

/** Reads the body of a request, which may be any JSON. @throws Problem */
export async function readJson(request: Request): Promise<unknown> {
  requireJson(request);
  return parse(await readBytes(request));
}

/**
 * Returns an issue for each member of a body, for a request that needs no body. The body may be empty, or `{}`, which
 * some clients always send.
 *
 * @throws Problem for a body that is not a JSON object
 */
export async function issuesOfNeedlessBody(request: Request): Promise<Issue[]> {
  const bytes = await readBytes(request);
  if (bytes.length === 0) return [];
  requireJson(request);
  return Object.keys(parseObject(bytes)).map((path) => ({
    path,
    message: 'Unknown member: expected no body',
  }));
}

function requireJson(request: Request): void {
  if (!isJson(request.headers.get('content-type') ?? '')) {
    const detail = 'Send the body with Content-Type: application/json';
    throw new Problem('unsupported_media_type', { detail, headers: { accept: 'application/json' } });
  }
}

function parseObject(bytes: Uint8Array): object {
  const value = parse(bytes);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new Problem('invalid_body', {
    detail: 'Expected a JSON object such as {"name": "echo", "input": {}}',
  });
}

export function isJson(contentType: string): boolean {
  return /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(contentType.trim());
}

/**
 * Reads the raw body of a request. Counts the bytes that arrive, since a Content-Length may be absent or wrong.
 *
 * No other code touches a body, even if the request is refused. So the server discards an unread body as it arrives,
 * and the connection can serve the next request. A body that had become a stream would block the connection.
 *
 * @throws Problem if the body has more than `limit` bytes
 */
export async function readBytes(request: Request, limit = MAX_BODY_BYTES): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length')) > limit) throw tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(limit: number): Problem {
  return new Problem('body_too_large', { detail: `Expected at most ${limit} bytes.` });
}

function parse(bytes: Uint8Array): unknown {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const detail = `Expected JSON in UTF-8: ${error instanceof Error ? error.message : error}`;
    throw new Problem('invalid_body', { detail });
  }
}
