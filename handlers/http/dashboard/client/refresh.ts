import { type FetchedPage, fetchPage, SignedOutError } from './fetch-page.js';
import { setBusy, showLive, showPage, tell } from './show.js';

/** The shortest pause between reads, in milliseconds. */
const INTERVAL = 5000;

/** The pause after an answer that failed, in milliseconds. The server may recover at any moment. */
const AFTER_FAILURE = 10_000;

/** The pause as a multiple of the time that the last answer took, so that watching a costly page adds little load. */
const REST = 10;

export interface Refreshing {
  /** Shows the live parts of the page at this URL at once, and keeps showing them. */
  follow(address: string): Promise<void>;
  /** Discards a read that is under way. Call this when a form is sent, since the form's answer will be newer. */
  interrupt(): void;
}

/** Reads the page repeatedly while it is visible, until the session ends. */
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
    if (document.documentElement.dataset.refresh === 'off') return;
    const pause = isLost ? AFTER_FAILURE : Math.max(INTERVAL, REST * took);
    timer = setTimeout(() => void refresh(true), pause);
  };
  /**
   * Reads the page and shows its live parts.
   * @param isHeld whether the rows of lists stay where they are
   */
  const refresh = async (isHeld: boolean): Promise<void> => {
    const signal = stop();
    const changing = isHeld ? 'main [data-live]:not([data-still])' : 'main [data-live]';
    if (document.hidden || !document.querySelector(`${changing}, [data-heals]`)) return schedule();
    const begun = performance.now();
    try {
      const page = await fetchPage(location.href, { headers: { 'x-refresh': '1' }, signal });
      took = performance.now() - begun;
      if (signal.aborted) return;
      if (page.isGone) return leave();
      if (page.problem === undefined) show(page, isHeld);
      else lose(page.problem);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof SignedOutError) return tellSignedOut();
      lose('The server does not answer: what you see may be out of date.');
    }
    schedule();
  };
  const show = (page: FetchedPage, isHeld: boolean) => {
    // A page that said that something failed is replaced as a whole.
    if (document.querySelector('[data-heals]')) showPage(page);
    else showLive(page, isHeld);
    setBusy(false);
    if (isLost) document.getElementById('notice')?.replaceChildren();
    isLost = false;
  };
  /** Keeps the page readable, but removes its buttons. */
  const leave = () => {
    lose('This was removed meanwhile: what you see is how it was.');
    document.getElementById('buttons')?.replaceChildren();
  };
  /** Shows the reason once, not after each attempt. */
  const lose = (reason: string) => {
    if (!isLost) tell(reason);
    isLost = true;
  };

  schedule();
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void refresh(true);
  });
  document.addEventListener('click', ({ target }) => {
    if (!(target instanceof Element) || !target.matches('[data-show]')) return;
    document.getElementById('main')?.focus({ preventScroll: true });
    void refresh(false);
  });
  addEventListener('popstate', () => {
    setBusy(true);
    location.reload();
  });
  return {
    interrupt: () => {
      stop();
      schedule();
    },
    follow: (address) => {
      // Each filter is an entry of the history, so that Back returns to the one before.
      if (new URL(address, location.href).href !== location.href) history.pushState(null, '', address);
      setBusy(true);
      return refresh(false);
    },
  };
}

/** Shows that the session has ended, and keeps everything that was typed. */
export function tellSignedOut(): void {
  const next = encodeURIComponent(location.pathname + location.search);
  tell('Your session is over.', { text: 'Sign in again', address: `/sign-in?next=${next}` });
}
