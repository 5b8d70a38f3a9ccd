import { Idiomorph } from 'idiomorph';
import type { FetchedPage } from './fetch-page.js';
import { countTicked } from './selection.js';

/**
 * Updates the live parts of the page from a fetched page. Everything else stays: typed text, the focus, ticked rows, and
 * unfolded parts.
 */
export function showLive({ document: fresh }: FetchedPage): void {
  for (const region of document.querySelectorAll('[data-live][id]')) {
    const update = fresh.getElementById(region.id);
    if (update) Idiomorph.morph(region, update, { callbacks: { beforeAttributeUpdated: keepsState } });
  }
  countTicked();
}

/** Replaces the page by the one that a form resulted in. */
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

/** Returns whether an attribute may be updated. False for state that a person sets and the server does not know. */
function keepsState(attribute: string, element: Element): boolean {
  return (
    keepsUnfolded(attribute, element) && !(element instanceof HTMLInputElement && attribute === 'checked')
  );
}

function keepsUnfolded(attribute: string, element: Element): boolean {
  return !(element instanceof HTMLDetailsElement && attribute === 'open');
}
