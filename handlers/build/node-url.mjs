/**
 * Replaces `whatwg-url`, with which the MongoDB driver parses connection strings, in a bundle. Node's own URL follows
 * the same standard, which saves 90 KB of tables per package.
 */
export const { URL, URLSearchParams } = globalThis;
