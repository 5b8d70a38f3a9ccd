import { MAX_BODY_BYTES, readBytes } from '../body.js';
import { Problem } from '../problem.js';

/** As it is sent, a byte that is no letter is three. */
const BYTES_OF_A_LETTER = 3;

/**
 * What a form sent.
 *
 * @param maxBytes of its names and values in all; default: as many as a body of the API may have
 * @throws Problem
 */
export async function readForm(request: Request, maxBytes = MAX_BODY_BYTES): Promise<URLSearchParams> {
  const [type] = (request.headers.get('content-type') ?? '').split(';');
  if (type?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw new Problem('unsupported_media_type', { detail: 'Expected what a form of the dashboard sends.' });
  }
  const bytes = await readBytes(request, BYTES_OF_A_LETTER * maxBytes);
  const form = new URLSearchParams(new TextDecoder().decode(bytes));
  if (sizeOf(form) > maxBytes) {
    throw new Problem('body_too_large', { detail: `Expected at most ${maxBytes} bytes.` });
  }
  return form;
}

function sizeOf(form: URLSearchParams): number {
  let bytes = 0;
  for (const [name, value] of form) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  return bytes;
}
