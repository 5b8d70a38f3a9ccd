import { Problem } from '../problem.js';

/** What a form sent. @throws Problem for anything else */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const [type] = (request.headers.get('content-type') ?? '').split(';');
  if (type?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw new Problem('unsupported_media_type', { detail: 'Expected what a form of the dashboard sends.' });
  }
  return new URLSearchParams(await request.text());
}
