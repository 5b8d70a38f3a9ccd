import { type FetchedPage, fetchPage, SignedOutError } from './fetch-page.js';
import { showLive, tell } from './show.js';

/** In milliseconds. */
const INTERVAL = 5000;

/** So many times as long as an answer took nothing is asked: where a page is dear, those who watch it do not add load. */
const REST = 10;

export interface Refreshing {
  /** Shows what is live at an address now, at once, and from then on. */
  follow(address: string): Promise<void>;
  /** Nothing that is under way counts: a form is sent, and its answer is newer. */
  interrupt(): void;
}

/** Reads the page again and again while it can be seen, until the session is over. */
export function keepRefreshing(): Refreshing {
  let underWay = new AbortController();
  let timer = 0;
  let isLost = false;
  let took = 0;

  const stop = (): AbortSignal => {
    clearTimeout(timer);
    underWay.abort();
    underWay = new AbortController();
    return underWay.signal;
  };
  const schedule = () => {
    timer = setTimeout(refresh, Math.max(INTERVAL, REST * took));
  };
  const refresh = async (): Promise<void> => {
    const signal = stop();
    if (document.hidden || !document.querySelector('[data-live]')) return schedule();
    const begun = performance.now();
    try {
      const page = await fetchPage(location.href, { headers: { 'x-refresh': '1' }, signal });
      took = performance.now() - begun;
      if (signal.aborted) return;
      if (page.isGone) return leave();
      if (page.problem === undefined) show(page);
      else lose(page.problem);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof SignedOutError) return tellSignedOut();
      lose('The server does not answer: what you see may be out of date.');
    }
    schedule();
  };
  const show = (page: FetchedPage) => {
    showLive(page);
    if (isLost) document.getElementById('notice')?.replaceChildren();
    isLost = false;
  };
  /** What is shown stays to be read, but nothing can be done about it any more. */
  const leave = () => {
    lose('This was removed meanwhile: what you see is how it was.');
    document.getElementById('buttons')?.replaceChildren();
  };
  /** Told once, not at each attempt. */
  const lose = (reason: string) => {
    if (!isLost) tell(reason);
    isLost = true;
  };

  schedule();
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void refresh();
  });
  addEventListener('popstate', () => location.reload());
  return {
    interrupt: () => {
      stop();
      schedule();
    },
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
