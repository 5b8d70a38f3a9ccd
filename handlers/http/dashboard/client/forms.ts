import { fetchPage, SignedOutError } from './fetch-page.js';
import type { Refreshing } from './refresh.js';
import { tellSignedOut } from './refresh.js';
import { forgetTicks } from './selection.js';
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
    if (!(form instanceof HTMLFormElement)) return;
    const { submitter } = event;
    const isPlain = 'plain' in form.dataset;
    const goesOn =
      !isUnsavedBeside(form) || confirm('What you changed here is not saved, and would be lost. Go on?');
    if (!isPlain || !goesOn) event.preventDefault();
    if (isPlain || !goesOn) return;
    if (submitter?.dataset.confirm !== undefined && !confirm(submitter.dataset.confirm)) return;
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
  // Another kind of jobs has another input.
  document.addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.getAttribute('list') !== 'kinds') return;
    clearTimeout(typing);
    const button = target.form?.querySelector<HTMLButtonElement>('button[name=change]');
    if (button) target.form?.requestSubmit(button);
  });
  document.addEventListener('input', ({ target }) => {
    const form = target instanceof Element ? target.closest<HTMLFormElement>('form[data-preview]') : null;
    if (!form) return;
    clearTimeout(typing);
    typing = setTimeout(() => void showPreview(form), TYPING_PAUSE);
  });
}

/** Returns whether another form marked `data-edits` has unsaved changes. */
function isUnsavedBeside(form: HTMLFormElement): boolean {
  return [...document.querySelectorAll<HTMLFormElement>('form[data-edits]')].some(
    (other) => other !== form && [...other.elements].some(isChanged),
  );
}

function isChanged(control: Element): boolean {
  if (control instanceof HTMLTextAreaElement) return control.value !== control.defaultValue;
  if (control instanceof HTMLSelectElement)
    return [...control.options].some(
      ({ selected, defaultSelected }, index) =>
        selected !== (defaultSelected || (index === 0 && !hasDefault(control))),
    );
  if (!(control instanceof HTMLInputElement)) return false;
  return control.value !== control.defaultValue || control.checked !== control.defaultChecked;
}

/** Returns whether the page chose an option. Otherwise a browser chooses the first. */
function hasDefault({ options }: HTMLSelectElement): boolean {
  return [...options].some(({ defaultSelected }) => defaultSelected);
}

/** Shows what a form would do while it is filled in. The server is asked for that, and changes nothing. */
async function showPreview(form: HTMLFormElement): Promise<void> {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) body.append(name, String(value));
  body.append('change', form.dataset.preview ?? '');
  const address = form.getAttribute('action') ?? location.href;
  // While the server does not answer, the former preview stays.
  const page = await fetchPage(address, { method: 'POST', body }).catch(() => undefined);
  const told = page?.document.getElementById('preview');
  if (told) document.getElementById('preview')?.replaceChildren(...told.childNodes);
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
    if (page.problem === undefined) {
      if (form.querySelector('[data-bulk]')) forgetTicks();
      showPage(page);
    } else tell(page.problem);
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
