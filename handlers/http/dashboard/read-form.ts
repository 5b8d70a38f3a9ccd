import { MAX_BODY_BYTES, readBytes } from '../body.js';
import { Problem } from '../problem.js';

/** As it is sent, a byte that is no letter is three. */
const MAX_SENT_BYTES = 3 * MAX_BODY_BYTES;

/** What a form sent: names and values of at most as many bytes in all as a body of the API. @throws Problem */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const [type] = (request.headers.get('content-type') ?? '').split(';');
  if (type?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw new Problem('unsupported_media_type', { detail: 'Expected what a form of the dashboard sends.' });
  }
  const form = new URLSearchParams(new TextDecoder().decode(await readBytes(request, MAX_SENT_BYTES)));
  if (sizeOf(form) > MAX_BODY_BYTES) {
    throw new Problem('body_too_large', { detail: `Expected at most ${MAX_BODY_BYTES} bytes.` });
  }
  return form;
}

function sizeOf(form: URLSearchParams): number {
  let bytes = 0;
  for (const [name, value] of form) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  return bytes;
}
