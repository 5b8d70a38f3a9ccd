/**
 * Replaces `whatwg-url` in a bundle, with which the MongoDB driver parses connection strings. Node's own URL follows the
 * same standard, and saves 90 KB of tables in each package.
 */
export const { URL, URLSearchParams } = globalThis;
