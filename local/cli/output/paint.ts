import { styleText } from 'node:util';
import type { OutputStream } from '../streams.js';

export type Style = Parameters<typeof styleText>[0];

/** Gives a text a style, where that can be seen. */
export type Paint = (style: Style | undefined, text: string) => string;

/** Colours for a stream: none without a terminal, or where NO_COLOR is set. */
export function painter(stream: OutputStream): Paint {
  const isColoured = stream.isTTY === true && stream.hasColors?.() === true;
  return (style, text) =>
    isColoured && style !== undefined && text !== ''
      ? styleText(style, text, { validateStream: false })
      : text;
}

/** Nothing has a style. */
export const plain: Paint = (_, text) => text;

/** The colour of a job's status, the same wherever it is shown. */
export function statusStyle(status: string): Style | undefined {
  return statusStyles[status];
}

const statusStyles: Readonly<Record<string, Style>> = {
  queued: 'cyan',
  processing: 'blue',
  completed: 'green',
  cancelled: 'yellow',
  error: 'red',
};
