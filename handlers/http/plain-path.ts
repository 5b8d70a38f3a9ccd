import { createMiddleware } from 'hono/factory';
import * as z from 'zod';
import { hasDotSegment } from '../../src/dot-segment.js';
import { Problem } from './problem.js';

/**
 * Schema of the raw path, before it is parsed as a URL. HTTP APIs and function URLs, other platforms, and Node give it
 * in different members.
 */
const environmentSchema = z.union([
  z.object({ event: z.object({ rawPath: z.string() }) }).transform(({ event }) => event.rawPath),
  z.object({ event: z.object({ path: z.string() }) }).transform(({ event }) => event.path),
  z
    .object({ incoming: z.object({ url: z.string() }) })
    .transform(({ incoming }) => incoming.url.replace(/\?.*$/s, '')),
]);

/**
 * Returns the raw path of a request, or undefined if the platform does not give it.
 *
 * @param environment the platform's part of a request, which hono calls `env`
 */
export function rawPathOf(environment: unknown): string | undefined {
  return environmentSchema.safeParse(environment).data;
}

/**
 * Refuses a path that a URL parser, a proxy or an access check could read in different ways. Otherwise API Gateway
 * could admit one path, and the app serve another.
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

/** Returns whether all readers understand the path in the same way. */
export function isPlainPath(path: string): boolean {
  return (
    plain.test(path) &&
    path.isWellFormed() &&
    !needlesslyEscaped.test(path) &&
    !hasDotSegment(decodedSlashes(path))
  );
}

/**
 * Excludes `\`, `?`, `#` and control characters, since parsers may stop at them, change them or drop them. Excludes
 * empty segments except the last, and a space at the end, which would be cut off. Allows other characters that should
 * be escaped, because an HTTP API of API Gateway decodes the path.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are refused.
const plain = /^(?!.*\/\/)(?!.* $)\/[^\\?#\x00-\x1f\x7f]*$/;

/**
 * Matches escaped letters, digits and `-._~`, which need no escape. For example, `%2e%2e` is `..`, and `%71ueues` is
 * `queues`. Also matches NUL, since some parsers stop at it.
 */
const needlesslyEscaped = /%(00|2d|2e|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])/i;

function decodedSlashes(path: string): string {
  return path.replaceAll(/%2f|%5c/gi, '/');
}
