/** A page as the server made it. */
export interface FetchedPage {
  readonly document: Document;
  /** The address of the page, after redirects. */
  readonly url: URL;
  /** The error that the page tells, if it must not replace the current page. */
  readonly problem: string | undefined;
  /** Whether the subject of the page no longer exists. */
  readonly isGone: boolean;
}

/** The session is over, and the server led to the sign-in. */
export class SignedOutError extends Error {}

/**
 * Asks the server for a page, by a form or by its address.
 *
 * @throws SignedOutError, or what `fetch` throws
 * @throws Error when the answer is not a page
 */
export async function fetchPage(address: string, options: RequestInit): Promise<FetchedPage> {
  const response = await fetch(address, { ...options, credentials: 'same-origin' });
  const url = new URL(response.url);
  if (url.pathname === '/sign-in') throw new SignedOutError();
  if (!response.headers.get('content-type')?.startsWith('text/html')) {
    throw new Error(`The server answered with ${response.status}.`);
  }
  const document = new DOMParser().parseFromString(await response.text(), 'text/html');
  return { document, url, problem: problemOf(document), isGone: response.status === 404 };
}

/** Returns the error that a page tells. A form that comes back to be corrected has none. */
function problemOf(document: Document): string | undefined {
  if (!document.getElementById('main')) return 'Something went wrong.';
  return document.querySelector('[data-problem] p')?.textContent;
}
