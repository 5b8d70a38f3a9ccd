import stringWidth from 'string-width';
import { cut, pad } from './cut.js';
import type { Paint, Style } from './paint.js';
import { visible } from './visible.js';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
  readonly style?: (row: Row) => Style | undefined;
  /** May be cut where the terminal is too narrow. */
  readonly mayShrink?: boolean;
}

export interface Paper {
  /** Columns of the terminal; infinite when there is none. */
  readonly width: number;
  readonly paint: Paint;
}

const GAP = '  ';
const LEAST_WIDTH = 8;

/** A table whose columns are as wide as its rows need, and fit the terminal: those that may shrink do, the widest first. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], paper: Paper): string {
  const cells = rows.map((row) => columns.map(({ value }) => visible(value(row))));
  const widths = widthsThatFit(
    columns.map(({ title }, index) =>
      Math.max(stringWidth(title), ...cells.map((row) => stringWidth(row[index] ?? ''))),
    ),
    columns.map(({ mayShrink = false }) => mayShrink),
    paper.width,
  );
  const line = (texts: readonly string[], styleOf: (index: number) => Style | undefined) =>
    columns
      .map(({ align }, index) => {
        const width = widths[index] ?? 0;
        const text = cut(texts[index] ?? '', width);
        const isLast = index === columns.length - 1 && align !== 'right';
        return paper.paint(styleOf(index), isLast ? text : pad(text, width, align));
      })
      .filter((_, index) => (widths[index] ?? 0) > 0)
      .join(GAP)
      .trimEnd();
  const header = line(
    columns.map(({ title }) => title),
    () => 'bold',
  );
  const lines = rows.map((row, place) => line(cells[place] ?? [], (index) => columns[index]?.style?.(row)));
  return [header, ...lines].join('\n');
}

/** Takes from the widest of those that may shrink, until all fit or none can give more. */
function widthsThatFit(
  natural: readonly number[],
  mayShrink: readonly boolean[],
  available: number,
): number[] {
  const widths = [...natural];
  for (;;) {
    const total = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
    const shrinkable = widths.map((width, index) => (mayShrink[index] && width > LEAST_WIDTH ? width : 0));
    const widest = shrinkable.indexOf(Math.max(...shrinkable));
    if (total <= available || (shrinkable[widest] ?? 0) === 0) return clipped(widths, available);
    const next = Math.max(LEAST_WIDTH, ...shrinkable.filter((width) => width < (shrinkable[widest] ?? 0)));
    widths[widest] = Math.max(next, (widths[widest] ?? 0) - (total - available));
  }
}

/** What is still too wide is cut at the edge of the terminal: a column there is of width 0. */
function clipped(widths: readonly number[], available: number): number[] {
  let left = available;
  return widths.map((width) => {
    const kept = Math.max(0, Math.min(width, left));
    left -= kept + GAP.length;
    return kept;
  });
}
