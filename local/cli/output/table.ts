import stringWidth from 'string-width';
import { cut, pad } from './cut.js';
import type { Paint, Style } from './paint.js';
import { visible } from './visible.js';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
  readonly style?: (row: Row) => Style | undefined;
  /** Whether the column may be cut if the terminal is too narrow. A number is the smallest width. `true` means 8. */
  readonly mayShrink?: boolean | number;
  /** Lets the column be left out if cutting is not enough. The column with the lowest number goes first. */
  readonly leaveOut?: number;
}

export interface Paper {
  /** The width of the terminal. Infinite if there is no terminal. */
  readonly width: number;
  readonly paint: Paint;
}

const GAP = '  ';
const LEAST_WIDTH = 8;

/**
 * Returns a table that fits the terminal. Columns are as wide as the rows need. If that is too wide, leaves out some
 * columns and shrinks others, the widest first.
 */
export function table<Row>(allColumns: readonly Column<Row>[], rows: readonly Row[], paper: Paper): string {
  const measured = columnsThatFit(
    allColumns.map((column) => measure(column, rows)),
    paper.width,
  );
  const columns = measured.map(({ column }) => column);
  const cells = rows.map((_, place) => measured.map(({ texts }) => texts[place] ?? ''));
  const widths = widthsThatFit(measured, paper.width);
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

/** A column with its texts, and its least and natural width. */
interface Measured<Row> {
  readonly column: Column<Row>;
  readonly texts: readonly string[];
  readonly least: number;
  readonly natural: number;
}

function measure<Row>(column: Column<Row>, rows: readonly Row[]): Measured<Row> {
  const texts = rows.map((row) => visible(column.value(row)));
  const natural = Math.max(stringWidth(column.title), ...texts.map((text) => stringWidth(text)));
  const { mayShrink = false } = column;
  const least = mayShrink === false ? natural : mayShrink === true ? LEAST_WIDTH : mayShrink;
  return { column, texts, least: Math.min(least, natural), natural };
}

/** Leaves out optional columns, those with the lowest `leaveOut` first, until the rest fits. */
function columnsThatFit<Row>(columns: readonly Measured<Row>[], available: number): readonly Measured<Row>[] {
  if (total(columns.map(({ least }) => least)) <= available) return columns;
  const first = Math.min(...columns.map(({ column }) => column.leaveOut ?? Number.POSITIVE_INFINITY));
  if (first === Number.POSITIVE_INFINITY) return columns;
  return columnsThatFit(
    columns.filter(({ column }) => column.leaveOut !== first),
    available,
  );
}

/** Narrows the widest column that may shrink, until all fit or none can shrink. */
function widthsThatFit(
  columns: readonly Pick<Measured<unknown>, 'least' | 'natural'>[],
  available: number,
): number[] {
  const widths = columns.map(({ natural }) => natural);
  for (;;) {
    const excess = total(widths) - available;
    const shrinkable = widths.map((width, index) => (width > (columns[index]?.least ?? 0) ? width : 0));
    const widest = shrinkable.indexOf(Math.max(...shrinkable));
    const width = shrinkable[widest] ?? 0;
    if (excess <= 0 || width === 0) return clipped(widths, available);
    const next = Math.max(columns[widest]?.least ?? 0, ...shrinkable.filter((other) => other < width));
    widths[widest] = Math.max(next, width - excess);
  }
}

/** Returns the width of a line. A column of width 0 is absent. */
function total(widths: readonly number[]): number {
  const there = widths.filter((width) => width > 0);
  return there.reduce((sum, width) => sum + width, 0) + GAP.length * Math.max(0, there.length - 1);
}

/** Cuts the columns at the edge of the terminal. A column beyond the edge gets width 0. */
function clipped(widths: readonly number[], available: number): number[] {
  let left = available;
  return widths.map((width) => {
    if (width === 0) return 0;
    const kept = Math.max(0, Math.min(width, left));
    left -= kept + GAP.length;
    return kept;
  });
}
