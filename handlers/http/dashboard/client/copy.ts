import { tell } from './show.js';

/** How long a button says that it has copied, in milliseconds. */
const TOLD_MS = 2000;

/** Makes buttons copy their text, or the content at their address. */
export function copyTexts(): void {
  document.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest<HTMLElement>('.copy') : null;
    if (button) void copy(button);
  });
}

async function copy(button: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(await textOf(button));
    button.textContent = 'Copied';
    setTimeout(() => {
      button.textContent = 'Copy';
    }, TOLD_MS);
  } catch {
    tell('The browser did not let it be copied: select the text instead.');
  }
}

async function textOf({ dataset: { copy: text, copyPath, copyFrom = '' } }: HTMLElement): Promise<string> {
  if (text !== undefined) return text;
  if (copyPath !== undefined) return new URL(copyPath, location.href).href;
  const answer = await fetch(new URL(copyFrom, location.href));
  if (!answer.ok) throw new Error(`The answer was ${answer.status}.`);
  return answer.text();
}
