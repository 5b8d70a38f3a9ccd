import { Idiomorph } from 'idiomorph';
import type { FetchedPage } from './fetch-page.js';
import { holdRows } from './held-rows.js';
import { countTicked } from './selection.js';

/**
 * Updates the live parts of the page from a fetched page. Everything else stays: typed text, the focus, ticked rows, and
 * unfolded parts.
 *
 * @param isHeld whether the rows of lists stay where they are
 */
export function showLive({ document: fresh }: FetchedPage, isHeld: boolean): void {
  // The title tells what is wrong with the deployment.
  if (document.title !== fresh.title) document.title = fresh.title;
  for (const region of document.querySelectorAll('[data-live][id]')) {
    const update = fresh.getElementById(region.id);
    if (update && isHeld) holdRows(region, update);
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
  } else keepFocus();
}

/** Moves the focus to a place near a button that has just been disabled or removed. */
function keepFocus(): void {
  const { activeElement: focused } = document;
  if (focused && focused !== document.body && !focused.matches(':disabled')) return;
  const near = document.querySelector<HTMLElement>('[data-all]') ?? document.getElementById('main');
  near?.focus({ preventScroll: true });
}

/** Dims the live parts while they do not fit the address, so that nobody acts on old content. */
export function setBusy(isBusy: boolean): void {
  for (const region of document.querySelectorAll<HTMLElement>('[data-live][id]')) {
    region.ariaBusy = isBusy ? 'true' : null;
    region.inert = isBusy;
  }
  for (const buttons of document.querySelectorAll<HTMLFieldSetElement>('fieldset[data-bulk]'))
    if (isBusy) buttons.disabled = true;
  if (!isBusy) countTicked();
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
