/**
 * Keeps the rows of lists marked `data-held` where they are, so that none moves under the pointer. Puts the rows of
 * `update`, the fresh part of the page, into the order of `region`, the shown part. Leaves out new rows, and a button
 * tells how many. Keeps rows that are gone, and dims them.
 */
export function holdRows(region: Element, update: Element): void {
  const [shown] = listsIn(region);
  const [fresh] = listsIn(update);
  if (!shown || !fresh) return;
  const freshRows = new Map([...fresh.rows].map((row) => [row.id, row]));
  const shownIds = new Set([...shown.rows].map(({ id }) => id));
  const added = [...freshRows.keys()].filter((id) => !shownIds.has(id));
  const last = [...shown.rows].findLastIndex(({ id }) => freshRows.has(id));
  const rows = [...shown.rows].map((row, index) => {
    const now = freshRows.get(row.id);
    if (now) return now;
    const former = document.importNode(row, true);
    // New rows push the last ones to the next page, where they still are.
    if (index < last || added.length === 0) former.classList.add('gone');
    return former;
  });
  fresh.replaceChildren(...rows);
  if (added.length > 0) fresh.closest('table')?.after(buttonFor(added.length));
}

function listsIn(part: Element) {
  return part.querySelectorAll<HTMLTableSectionElement>('tbody[data-held]');
}

function buttonFor(count: number): HTMLElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'primary arrived';
  button.dataset.show = '';
  button.textContent = `${count} new: show`;
  return button;
}
