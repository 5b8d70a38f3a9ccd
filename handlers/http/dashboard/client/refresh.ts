import { type FetchedPage, fetchPage, SignedOutError } from './fetch-page.js';
import { showLive, tell } from './show.js';

/** In milliseconds. */
const INTERVAL = 5000;

/** The pause, as a multiple of the last answer's time. Where a page is costly, watching it adds little load. */
const REST = 10;

export interface Refreshing {
  /** Shows the live parts of an address at once, and from then on. */
  follow(address: string): Promise<void>;
  /** Discards what is under way, since a form is sent and its answer is newer. */
  interrupt(): void;
}

/** Reads the page again and again while it is visible, until the session is over. */
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
  /** Keeps the page readable, but without buttons. */
  const leave = () => {
    lose('This was removed meanwhile: what you see is how it was.');
    document.getElementById('buttons')?.replaceChildren();
  };
  /** Tells the reason once, not at each attempt. */
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

/** Tells that the session is over, and keeps everything that was typed. */
export function tellSignedOut(): void {
  const next = encodeURIComponent(location.pathname + location.search);
  tell('Your session is over.', { text: 'Sign in again', address: `/sign-in?next=${next}` });
}
