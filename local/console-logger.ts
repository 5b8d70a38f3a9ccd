import { inspect, styleText } from 'node:util';
import type { LogFields, Logger } from '../src/index.js';
import { visible } from './cli/output/visible.js';

type Style = Parameters<typeof styleText>[0];

/** A logger that prints one readable line per event, in colour if the terminal shows colours. */
export const consoleLogger: Logger = {
  debug() {},
  info: (message, fields) => print('cyan', message, fields),
  warn: (message, fields) => print('yellow', message, fields),
  error: (message, fields) => print('red', message, fields),
};

function print(style: Style, message: string, fields: LogFields = {}): void {
  const time = new Date().toLocaleTimeString('en-GB');
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  const details = given.map(([name, value]) => `${name}=${format(value)}`);
  console.log([dim(time), colour(style, visible(message)), dim(details.join(' '))].join(' '));
}

function format(value: unknown): string {
  return typeof value === 'string' && /^[\w.:-]+$/.test(value)
    ? value
    : visible(inspect(value, { breakLength: Infinity }));
}

function dim(text: string): string {
  return colour('dim', text);
}

function colour(style: Style, text: string): string {
  return process.stdout.isTTY ? styleText(style, text) : text;
}
