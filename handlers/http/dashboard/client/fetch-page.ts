/** A page as the server made it. */
export interface FetchedPage {
  readonly document: Document;
  /** Where it is, after redirects. */
  readonly url: URL;
  /** What went wrong, when it is a page that says so, and nothing to show in place of this one. */
  readonly problem: string | undefined;
}

/** The session is over: the server led to the sign-in. */
export class SignedOutError extends Error {}

/**
 * Asks the server for a page, by a form or by its address.
 *
 * @throws SignedOutError, or what `fetch` throws; an Error when the answer is no page
 */
export async function fetchPage(address: string, options: RequestInit): Promise<FetchedPage> {
  const response = await fetch(address, { ...options, credentials: 'same-origin' });
  const url = new URL(response.url);
  if (url.pathname === '/sign-in') throw new SignedOutError();
  if (!response.headers.get('content-type')?.startsWith('text/html')) {
    throw new Error(`The server answered with ${response.status}.`);
  }
  const document = new DOMParser().parseFromString(await response.text(), 'text/html');
  return { document, url, problem: isProblem(response) ? problemOf(document) : undefined };
}

/** A form that comes back to be corrected is none: 422. */
function isProblem({ ok, status }: Response): boolean {
  return !ok && status !== 422;
}

function problemOf(document: Document): string {
  return document.querySelector('main p')?.textContent ?? 'Something went wrong.';
}
