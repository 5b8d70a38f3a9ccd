/** Makes a tick box marked `data-all` tick all others in its form. Enables the buttons once a box is ticked. */
export function chooseRows(): void {
  document.addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.type !== 'checkbox') return;
    if ('all' in target.dataset) for (const box of boxesOf(target.form)) box.checked = target.checked;
    countTicked();
  });
  countTicked();
}

/** Shows how many rows are ticked, and updates the number when rows come and go. */
export function countTicked(): void {
  for (const buttons of document.querySelectorAll<HTMLFieldSetElement>('fieldset[data-bulk]')) {
    const boxes = boxesOf(buttons.form);
    const count = boxes.filter(({ checked }) => checked).length;
    buttons.disabled = count === 0;
    buttons.hidden = boxes.length === 0;
    const told = buttons.querySelector('[data-ticked]');
    if (told) told.textContent = count === 0 ? '' : `${count} ticked`;
    const all = buttons.form?.querySelector<HTMLInputElement>('[data-all]');
    if (all) all.checked = count > 0 && count === boxes.length;
  }
}

function boxesOf(form: HTMLFormElement | null): HTMLInputElement[] {
  return [...(form?.querySelectorAll<HTMLInputElement>('input[type=checkbox]:not([data-all])') ?? [])];
}
