/**
 * In a bundle, this takes the place of `whatwg-url`, which the MongoDB driver parses connection strings with. Node's
 * own URL follows the same standard, and saves 90 KB of tables in each package.
 */
export const { URL, URLSearchParams } = globalThis;
