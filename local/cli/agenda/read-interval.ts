import ms from 'ms';
import { cronProblem } from '../../../src/scheduler/next-call-time.js';

/** When a scheduler item is due, in the words of `addScheduler`. */
export type Interval =
  | { readonly type: 'Cron'; readonly cron: string }
  | { readonly type: 'Delay'; readonly delay: number };

/**
 * Reads Agenda's `repeatInterval`: a cron expression, milliseconds, or a text such as `3 days and 4 hours`. Returns
 * undefined for a text whose meaning is not certain.
 */
export function readInterval(interval: string | number): Interval | undefined {
  if (typeof interval === 'number') return { type: 'Delay', delay: interval };
  const text = interval.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return { type: 'Delay', delay: Number(text) };
  if (cronProblem(text, 'UTC') === undefined) return { type: 'Cron', cron: text };
  const delay = readWords(text);
  return delay === undefined ? undefined : { type: 'Delay', delay };
}

/** Lengths as Agenda counts them: a month has 30 days, a year 365. */
const units: Readonly<Record<string, number>> = {
  second: ms('1s'),
  minute: ms('1m'),
  hour: ms('1h'),
  day: ms('1d'),
  week: ms('7d'),
  month: ms('30d'),
  year: ms('365d'),
};

const numbers = 'one two three four five six seven eight nine ten eleven twelve'.split(' ');

const partPattern = new RegExp(
  String.raw`^(?:,|and\b)?\s*(?:(\d+(?:\.\d+)?|${numbers.join('|')})\s*)?\b(${Object.keys(units).join('|')})s?\b\s*`,
);

/** Adds up the parts of a text. A part without a number counts once. */
function readWords(text: string): number | undefined {
  let sum = 0;
  for (let rest = text; rest !== ''; ) {
    const [part, number = '1', unit = ''] = partPattern.exec(rest) ?? [];
    if (part === undefined) return undefined;
    sum += (numbers.indexOf(number) + 1 || Number(number)) * (units[unit] ?? 0);
    rest = rest.slice(part.length);
  }
  return sum > 0 ? sum : undefined;
}
