import { pad } from './cut.js';
import type { Paint, Style } from './paint.js';
import { visibleLines } from './visible.js';

/** A name with its value and style. Fields with an empty value are left out. */
export type Field = readonly [name: string, value: string, style?: Style | undefined];

/** Returns the fields as text, one per line. All lines of a value begin in the same column. */
export function fields(entries: readonly Field[], paint: Paint): string {
  const shown = entries.filter(([, value]) => value !== '');
  const width = Math.max(...shown.map(([name]) => name.length)) + 2;
  const indent = `\n${' '.repeat(width)}`;
  return shown
    .map(([name, value, style]) => {
      const lines = visibleLines(value).split('\n');
      return paint('dim', pad(name, width)) + lines.map((line) => paint(style, line)).join(indent);
    })
    .join('\n');
}

/** Returns JSON for a person to read. */
export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? '';
}
