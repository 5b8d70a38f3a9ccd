/** The ticked ids of a list, on all its pages. */
interface Ticks {
  /** The address of the list, without the page. */
  readonly list: string;
  readonly ids: readonly string[];
}

const KEY = 'ticks';

/**
 * Makes a tick box marked `data-all` tick all others in its form. Enables the buttons once a box is ticked. Keeps ticks
 * by id when a person pages through a list, and when a row leaves the page.
 */
export function chooseRows(): void {
  document.addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.type !== 'checkbox') return;
    if (!target.form?.querySelector('[data-bulk]')) return;
    if ('all' in target.dataset) for (const box of boxesOf(target.form)) box.checked = target.checked;
    keepTicks(target.form);
    countTicked();
  });
  document.addEventListener('click', ({ target }) => {
    if (!(target instanceof Element) || !target.matches('[data-untick]')) return;
    forgetTicks();
    countTicked();
  });
  countTicked();
}

/** Ticks the rows that were ticked before, and shows the number of ticks. Call this whenever rows come and go. */
export function countTicked(): void {
  const ticked = readTicks();
  for (const buttons of document.querySelectorAll<HTMLFieldSetElement>('fieldset[data-bulk]')) {
    const boxes = boxesOf(buttons.form);
    for (const box of boxes) box.checked = ticked.has(box.value);
    const here = boxes.filter(({ checked }) => checked).length;
    const elsewhere = [...ticked].filter((id) => !boxes.some(({ value }) => value === id));
    sendToo(buttons, elsewhere);
    buttons.disabled = ticked.size === 0;
    buttons.hidden = boxes.length === 0 && ticked.size === 0;
    const told = buttons.querySelector('[data-ticked]');
    if (told) told.textContent = textFor(ticked.size, elsewhere.length);
    const untick = buttons.querySelector<HTMLElement>('[data-untick]');
    if (untick) untick.hidden = ticked.size === 0;
    const all = buttons.form?.querySelector<HTMLInputElement>('[data-all]');
    if (all) all.checked = here > 0 && here === boxes.length;
  }
}

/** Forgets all ticks, once something was done with them. */
export function forgetTicks(): void {
  sessionStorage.removeItem(KEY);
}

function textFor(count: number, elsewhere: number): string {
  if (count === 0) return '';
  return elsewhere === 0 ? `${count} ticked` : `${count} ticked, ${elsewhere} on other pages`;
}

/** Lets the form send the ids of rows that are on other pages. */
function sendToo(buttons: HTMLFieldSetElement, ids: readonly string[]): void {
  for (const field of buttons.querySelectorAll('input[type=hidden]')) field.remove();
  for (const id of ids) {
    const field = document.createElement('input');
    Object.assign(field, { type: 'hidden', name: 'id', value: id });
    buttons.append(field);
  }
}

function keepTicks(form: HTMLFormElement | null): void {
  const ids = readTicks();
  for (const { value, checked } of boxesOf(form)) {
    if (checked) ids.add(value);
    else ids.delete(value);
  }
  const ticks: Ticks = { list: listAddress(), ids: [...ids] };
  sessionStorage.setItem(KEY, JSON.stringify(ticks));
}

function readTicks(): Set<string> {
  try {
    const { list, ids }: Ticks = JSON.parse(sessionStorage.getItem(KEY) ?? '');
    return new Set(list === listAddress() ? ids : []);
  } catch {
    return new Set();
  }
}

function listAddress(): string {
  const { pathname, searchParams } = new URL(location.href);
  searchParams.delete('cursor');
  return `${pathname}?${searchParams}`;
}

function boxesOf(form: HTMLFormElement | null): HTMLInputElement[] {
  return [...(form?.querySelectorAll<HTMLInputElement>('input[type=checkbox]:not([data-all])') ?? [])];
}
