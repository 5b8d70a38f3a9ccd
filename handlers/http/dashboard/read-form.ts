import { MAX_BODY_BYTES, readBytes } from '../body.js';
import { Problem } from '../problem.js';

/** Number of bytes in a sent form for each byte that must be escaped. */
const BYTES_OF_A_LETTER = 3;

/**
 * Maximum number of fields, more than any of our forms has. A field may be as short as `=&`, and takes hundreds of
 * bytes once it is parsed or repeated in a page.
 */
const MAX_FIELDS = 20_000;

const AMPERSAND = '&'.charCodeAt(0);

/**
 * Reads a sent form.
 *
 * @param maxBytes maximum size of its names and values. Default: that of a body of the API
 * @param expected text that tells the sender of something else what to send
 * @throws Problem
 */
export async function readForm(
  request: Request,
  maxBytes = MAX_BODY_BYTES,
  expected = 'Expected what a form of the dashboard sends.',
): Promise<URLSearchParams> {
  const [type] = (request.headers.get('content-type') ?? '').split(';');
  if (type?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw new Problem('unsupported_media_type', { detail: expected });
  }
  const bytes = await readBytes(request, BYTES_OF_A_LETTER * maxBytes);
  if (hasMoreFields(bytes, MAX_FIELDS)) {
    throw new Problem('body_too_large', { detail: `Expected at most ${MAX_FIELDS} fields.` });
  }
  const form = new URLSearchParams(new TextDecoder().decode(bytes));
  if (sizeOf(form) > maxBytes) {
    throw new Problem('body_too_large', { detail: `Expected at most ${maxBytes} bytes.` });
  }
  return form;
}

/** Returns whether a form has more fields than the limit, by counting separators before it is parsed. */
function hasMoreFields(bytes: Uint8Array, limit: number): boolean {
  let fields = 1;
  for (const byte of bytes) if (byte === AMPERSAND) fields += 1;
  return fields > limit;
}

function sizeOf(form: URLSearchParams): number {
  let bytes = 0;
  for (const [name, value] of form) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  return bytes;
}
