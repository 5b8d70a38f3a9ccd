import { Idiomorph } from 'idiomorph';
import type { FetchedPage } from './fetch-page.js';
import { countTicked } from './selection.js';

/**
 * Brings what is marked as live to what the server says now. Everything else stays: what somebody types, the focus,
 * which rows are ticked, which parts are unfolded.
 */
export function showLive({ document: fresh }: FetchedPage): void {
  for (const region of document.querySelectorAll('[data-live][id]')) {
    const update = fresh.getElementById(region.id);
    if (update) Idiomorph.morph(region, update, { callbacks: { beforeAttributeUpdated: keepsState } });
  }
  countTicked();
}

/** Shows a page in place of this one: what a form led to. */
export function showPage({ document: fresh, url }: FetchedPage): void {
  const isSame = url.pathname === location.pathname;
  if (url.href !== location.href) history.pushState(null, '', url);
  document.title = fresh.title;
  for (const id of ['header', 'notice', 'main']) {
    const [region, update] = [document.getElementById(id), fresh.getElementById(id)];
    if (region && update) {
      if (isSame || id !== 'main')
        Idiomorph.morph(region, update, { callbacks: { beforeAttributeUpdated: keepsUnfolded } });
      else region.replaceWith(update);
    }
  }
  countTicked();
  const problem = document.querySelector<HTMLElement>('[aria-invalid=true]');
  if (problem) problem.focus();
  else if (!isSame) {
    scrollTo(0, 0);
    document.getElementById('main')?.focus();
  }
}

/** Tells something to whoever is looking, with a place to go, if there is one. */
export function tell(text: string, link?: { readonly text: string; readonly address: string }): void {
  const paragraph = document.createElement('p');
  paragraph.className = 'notice problem';
  paragraph.textContent = text;
  if (link) {
    const anchor = document.createElement('a');
    anchor.href = link.address;
    anchor.textContent = link.text;
    paragraph.append(' ', anchor);
  }
  document.getElementById('notice')?.replaceChildren(paragraph);
}

/** False for what a person decides, and the server does not know. */
function keepsState(attribute: string, element: Element): boolean {
  return (
    keepsUnfolded(attribute, element) && !(element instanceof HTMLInputElement && attribute === 'checked')
  );
}

function keepsUnfolded(attribute: string, element: Element): boolean {
  return !(element instanceof HTMLDetailsElement && attribute === 'open');
}
