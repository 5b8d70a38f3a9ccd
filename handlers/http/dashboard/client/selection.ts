/** A tick box marked `data-all` ticks all others of its form. */
export function chooseRows(): void {
  document.addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLInputElement) || !('all' in target.dataset)) return;
    for (const box of target.form?.querySelectorAll<HTMLInputElement>('input[type=checkbox]') ?? [])
      box.checked = target.checked;
  });
}
