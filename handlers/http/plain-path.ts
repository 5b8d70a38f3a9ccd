import { createMiddleware } from 'hono/factory';
import * as z from 'zod';
import { hasDotSegment } from '../../src/dot-segment.js';
import { Problem } from './problem.js';

/** The path before anybody made a URL of it, as an HTTP API or function URL, other platforms, and Node tell it. */
const environmentSchema = z.union([
  z.object({ event: z.object({ rawPath: z.string() }) }).transform(({ event }) => event.rawPath),
  z.object({ event: z.object({ path: z.string() }) }).transform(({ event }) => event.path),
  z
    .object({ incoming: z.object({ url: z.string() }) })
    .transform(({ incoming }) => incoming.url.replace(/\?.*$/s, '')),
]);

/**
 * Returns the path of a request as it came.
 *
 * @param environment the second argument of the app's call, beside the request
 * @returns undefined if the platform does not tell
 */
export function rawPathOf(environment: unknown): string | undefined {
  return environmentSchema.safeParse(environment).data;
}

/**
 * Refuses a path that a parser of URLs, a proxy, or an access check could read as another one. Otherwise a path that API
 * Gateway let in could be served as another.
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

/** Returns whether a path has the same meaning for every reader. */
export function isPlainPath(path: string): boolean {
  return (
    plain.test(path) &&
    path.isWellFormed() &&
    !needlesslyEscaped.test(path) &&
    !hasDotSegment(decodedSlashes(path))
  );
}

/**
 * Excludes `\`, `?`, `#` and control characters, at which parsers stop or which they change or drop. Excludes empty segments
 * except the last, and a space at the end, which would be cut off. Allows other characters that should be escaped, because
 * an HTTP API of API Gateway decodes the path.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are refused.
const plain = /^(?!.*\/\/)(?!.* $)\/[^\\?#\x00-\x1f\x7f]*$/;

/**
 * Matches escapes of letters, digits and `-._~`, which nobody has to escape. `%2e%2e` is `..`, and `%71ueues` is `queues`.
 * Matches NUL too, at which some parsers stop.
 */
const needlesslyEscaped = /%(00|2d|2e|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])/i;

function decodedSlashes(path: string): string {
  return path.replaceAll(/%2f|%5c/gi, '/');
}
