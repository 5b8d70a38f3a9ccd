import { fetchPage, SignedOutError } from './fetch-page.js';
import { showLive, tell } from './show.js';

/** In milliseconds. */
const INTERVAL = 5000;

export interface Refreshing {
  /** Shows what is live at an address now, at once, and from then on. */
  follow(address: string): Promise<void>;
  /** Nothing that is under way counts: a form is sent, and its answer is newer. */
  interrupt(): void;
}

/** Reads the page again and again while it can be seen. */
export function keepRefreshing(): Refreshing {
  let underWay = new AbortController();
  let timer = 0;
  let isLost = false;

  const refresh = async (): Promise<void> => {
    interrupt();
    if (document.hidden || !document.querySelector('[data-live]')) return schedule();
    const { signal } = underWay;
    try {
      const page = await fetchPage(location.href, { headers: { 'x-refresh': '1' }, signal });
      if (signal.aborted) return;
      showLive(page);
      if (isLost) document.getElementById('notice')?.replaceChildren();
      isLost = false;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof SignedOutError) return tellSignedOut();
      if (!isLost) tell('The server does not answer: what you see may be out of date.');
      isLost = true;
    }
    schedule();
  };
  const interrupt = () => {
    clearTimeout(timer);
    underWay.abort();
    underWay = new AbortController();
    schedule();
  };
  const schedule = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, INTERVAL);
  };

  schedule();
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void refresh();
  });
  addEventListener('popstate', () => location.reload());
  return {
    interrupt,
    follow: (address) => {
      history.replaceState(null, '', address);
      return refresh();
    },
  };
}

/** What was typed stays where it is. */
export function tellSignedOut(): void {
  const next = encodeURIComponent(location.pathname + location.search);
  tell('Your session is over.', { text: 'Sign in again', address: `/sign-in?next=${next}` });
}
