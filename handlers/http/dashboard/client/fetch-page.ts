import { showLocalTimes } from './local-times.js';

/** A page fetched from the server. */
export interface FetchedPage {
  readonly document: Document;
  /** The URL of the page, after any redirects. */
  readonly url: URL;
  /** The error that the page shows. If there is one, the page must not replace the current one. */
  readonly problem: string | undefined;
  /** Whether the subject of the page no longer exists. */
  readonly isGone: boolean;
}

/** The session has ended, and the server redirected to the sign-in page. */
export class SignedOutError extends Error {}

/**
 * Fetches a page from the server, with or without a form.
 *
 * @throws SignedOutError, or errors of `fetch`
 * @throws Error if the answer is not a page
 */
export async function fetchPage(address: string, options: RequestInit): Promise<FetchedPage> {
  const response = await fetch(address, { ...options, credentials: 'same-origin' });
  const url = new URL(response.url);
  if (url.pathname === '/sign-in') throw new SignedOutError();
  if (!response.headers.get('content-type')?.startsWith('text/html')) {
    throw new Error(`The server answered with ${response.status}.`);
  }
  const document = new DOMParser().parseFromString(await response.text(), 'text/html');
  showLocalTimes(document);
  return { document, url, problem: problemOf(document), isGone: response.status === 404 };
}

/** Returns the error that a page shows. A form that comes back for correction is no error. */
function problemOf(document: Document): string | undefined {
  if (!document.getElementById('main')) return 'Something went wrong.';
  return document.querySelector('[data-problem] p')?.textContent;
}
