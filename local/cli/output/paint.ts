import { styleText } from 'node:util';
import type { OutputStream } from '../streams.js';

export type Style = Parameters<typeof styleText>[0];

/** Gives a text a style, if the stream shows styles. */
export type Paint = (style: Style | undefined, text: string) => string;

/** Returns the painter of a stream. It paints if the stream is a terminal and NO_COLOR is not set. */
export function painter(stream: OutputStream): Paint {
  const isColoured = stream.isTTY === true && stream.hasColors?.() === true;
  return (style, text) =>
    isColoured && style !== undefined && text !== ''
      ? styleText(style, text, { validateStream: false })
      : text;
}

/** Leaves every text without a style. */
export const plain: Paint = (_, text) => text;

/** Returns the colour of a job's status, the same in every view. */
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
