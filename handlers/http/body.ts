import type { Issue } from '../../src/index.js';
import { parseJson } from './parse-json.js';
import { Problem } from './problem.js';

/** The most bytes of a body, and so of a job's input. Larger data belongs elsewhere, with a reference. */
export const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Reads the body of a request, which must be a JSON object. `JSON.parse` alone parses it, so that every key, including
 * `__proto__`, stays an own property for the validation to see.
 *
 * @throws Problem
 */
export async function readJsonObject(request: Request): Promise<object> {
  requireJson(request);
  return parseObject(await readBytes(request));
}

/**
 * Returns an issue for each member of the body of a request that needs none. An empty body is right, and so is `{}`, which
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

function isJson(contentType: string): boolean {
  return /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(contentType.trim());
}

/**
 * Reads the body of a request as it came. Counts the bytes that really come, since a Content-Length may be absent or wrong.
 *
 * Nothing else touches a body, not even one that is refused unread. So the server discards that body as it comes, and the
 * connection serves the next request. The server could not do so with a body that is a stream already.
 *
 * @throws Problem when the body has more bytes than `limit`
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
