import { fetchPage, SignedOutError } from './fetch-page.js';
import type { Refreshing } from './refresh.js';
import { tellSignedOut } from './refresh.js';
import { showPage, tell } from './show.js';

/** How long to wait after the last key before a filter is applied, in milliseconds. */
const TYPING_PAUSE = 300;

/**
 * Sends forms in the background and shows the resulting pages. A form marked `data-plain` is sent as usual. A form
 * marked `data-filter` is applied while it is being filled in.
 */
export function sendForms(refreshing: Refreshing): void {
  let typing = 0;
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || 'plain' in form.dataset) return;
    const { submitter } = event;
    event.preventDefault();
    if (submitter?.dataset.confirm !== undefined && !confirm(submitter.dataset.confirm)) return;
    if (isUnsavedBeside(form) && !confirm('What you changed here is not saved, and would be lost. Go on?'))
      return;
    void ('filter' in form.dataset
      ? refreshing.follow(filterAddress(form))
      : send(form, submitter, refreshing));
  });
  document.addEventListener('input', ({ target }) => {
    const form = target instanceof Element ? target.closest<HTMLFormElement>('form[data-filter]') : null;
    if (!form) return;
    clearTimeout(typing);
    typing = setTimeout(() => void refreshing.follow(filterAddress(form)), TYPING_PAUSE);
  });
}

/** Returns whether something was typed, and not saved, into another form that keeps what is edited. */
function isUnsavedBeside(form: HTMLFormElement): boolean {
  return [...document.querySelectorAll<HTMLTextAreaElement>('form[data-edits] textarea')].some(
    (text) => text.form !== form && text.value !== text.defaultValue,
  );
}

async function send(
  form: HTMLFormElement,
  submitter: HTMLElement | null,
  refreshing: Refreshing,
): Promise<void> {
  if (form.ariaBusy === 'true') return;
  refreshing.interrupt();
  form.ariaBusy = 'true';
  try {
    const address = submitter?.getAttribute('formaction') ?? form.getAttribute('action') ?? location.href;
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form, submitter)) body.append(name, String(value));
    if (submitter?.dataset.confirm !== undefined) body.append('confirmed', 'yes');
    const page = await fetchPage(address, { method: 'POST', body });
    if (page.problem === undefined) showPage(page);
    else tell(page.problem);
  } catch (error) {
    if (error instanceof SignedOutError) tellSignedOut();
    else tell('The server did not answer. Look whether it was done before you try again.');
  } finally {
    form.ariaBusy = null;
    refreshing.interrupt();
  }
}

/** Returns the URL for a filter, without its empty fields. */
function filterAddress(form: HTMLFormElement): string {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value !== '') query.append(name, String(value));
  const path = form.getAttribute('action') ?? location.pathname;
  return query.size === 0 ? path : `${path}?${query}`;
}
