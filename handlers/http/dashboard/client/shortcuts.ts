/** How long after `g` the second key may come, in milliseconds. */
const SECOND_KEY_MS = 1500;

/**
 * Listens to the keys of the dashboard. `/` goes to the search, `g` and a letter go to a section, and `?` shows the
 * list of keys. The letters stand in `data-key` of the links. A key that is typed into a control is left alone.
 */
export function listenToKeys(): void {
  if (document.documentElement.dataset.shortcuts === 'off') return;
  document.querySelector<HTMLElement>('[data-keys]')?.removeAttribute('hidden');
  let goesUntil = 0;
  document.addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(target)) return;
    const isSecond = event.timeStamp < goesUntil;
    goesUntil = 0;
    if (isSecond) linkOf(key)?.click();
    else if (key === 'g') goesUntil = event.timeStamp + SECOND_KEY_MS;
    else if (key === '?') showKeys();
    else if (key === '/') {
      const search = document.querySelector<HTMLElement>('main input[type=search], main form.filter input');
      if (!search) return;
      event.preventDefault();
      search.focus();
    }
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
}

function linkOf(key: string): HTMLElement | undefined {
  return [...document.querySelectorAll<HTMLElement>('nav [data-key]')].find(
    ({ dataset }) => dataset.key === key,
  );
}

function showKeys(): void {
  document.getElementById('keys')?.remove();
  const dialog = document.createElement('dialog');
  dialog.id = 'keys';
  dialog.className = 'card';
  dialog.setAttribute('aria-label', 'Keys');
  const list = document.createElement('dl');
  list.className = 'facts';
  const links = [...document.querySelectorAll<HTMLElement>('nav [data-key]')];
  const keys: readonly (readonly [string, string])[] = [
    ['/', 'Search'],
    ...links.map(({ dataset, textContent }) => [`g ${dataset.key}`, textContent ?? ''] as const),
    ['?', 'These keys'],
    ['Esc', 'Close'],
  ];
  for (const [key, what] of keys) {
    const [term, text] = [document.createElement('dt'), document.createElement('dd')];
    const shown = document.createElement('kbd');
    shown.textContent = key;
    term.append(shown);
    text.textContent = what;
    list.append(term, text);
  }
  dialog.append(list);
  document.body.append(dialog);
  dialog.showModal();
}
