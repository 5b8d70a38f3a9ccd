import { createMiddleware } from 'hono/factory';
import * as z from 'zod';
import { hasDotSegment } from '../../src/dot-segment.js';
import { Problem } from './problem.js';

/** The path as it came, before anybody made a URL of it: of an HTTP API or a function URL, of others, and of Node. */
const environmentSchema = z.union([
  z.object({ event: z.object({ rawPath: z.string() }) }).transform(({ event }) => event.rawPath),
  z.object({ event: z.object({ path: z.string() }) }).transform(({ event }) => event.path),
  z
    .object({ incoming: z.object({ url: z.string() }) })
    .transform(({ incoming }) => incoming.url.replace(/\?.*$/s, '')),
]);

/**
 * The path of a request as it came.
 *
 * @param environment what the app was called with beside the request
 * @returns undefined where the platform does not tell
 */
export function rawPathOf(environment: unknown): string | undefined {
  return environmentSchema.safeParse(environment).data;
}

/**
 * Refuses a path that means another one to somebody: to a parser of URLs, a proxy, or who decides by it who may call. What
 * API Gateway let in as one address would be served as another.
 */
export const requirePlainPath = createMiddleware(async ({ req, env }, next) => {
  if (!isPlainPath(rawPathOf(env) ?? new URL(req.url).pathname)) {
    throw new Problem('invalid_address', {
      detail:
        'Expected a path without dot segments, empty segments, backslashes and control characters, in which letters, digits and . - _ ~ are not escaped. In it ids are escaped as encodeURIComponent does.',
    });
  }
  await next();
});

/** Whether a path stands for itself alone, whoever reads it. */
export function isPlainPath(path: string): boolean {
  return (
    plain.test(path) &&
    path.isWellFormed() &&
    !needlesslyEscaped.test(path) &&
    !hasDotSegment(decodedSlashes(path))
  );
}

/**
 * Not `\`, `?`, `#` and control characters, at which parsers stop or which they change or leave out; no empty segment but
 * the last; no space at the end, which would be cut off. Other characters that should be escaped are let pass: an HTTP API
 * of API Gateway gives the path decoded.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are refused.
const plain = /^(?!.*\/\/)(?!.* $)\/[^\\?#\x00-\x1f\x7f]*$/;

/** Letters, digits, `-._~`, which nobody has to escape; and NUL, at which some stop. `%2e%2e` is `..`, and `%71ueues` `queues`. */
const needlesslyEscaped = /%(00|2d|2e|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])/i;

function decodedSlashes(path: string): string {
  return path.replaceAll(/%2f|%5c/gi, '/');
}
