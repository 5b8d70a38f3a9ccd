const codes = new Set(['EPIPE', 'ECONNRESET']);

/**
 * True for what Node says of a socket that is closing, as a container's are that died while it was frozen. The driver
 * (7.9) passes it on as it is when it comes of a write: not as a MongoNetworkError, with no label, not tried again.
 */
export function isSocketError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && codes.has(String(error.code));
}
