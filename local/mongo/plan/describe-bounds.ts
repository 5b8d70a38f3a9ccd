import { ObjectId } from 'bson';
import type { Doc } from '../bson/decode.js';
import { shellText } from '../bson/shell-text.js';
import { TYPE_BYTE } from '../storage/key-string.js';
import { AFTER, type Interval } from './intervals.js';
import type { IndexPlan } from './plan.js';

/** Returns the bounds of a scan by field, as `explain` shows them: `{ a: ['[1, 1]'], b: ['[MaxKey, MinKey]'] }`. */
export function describeBounds({ index, forward, scans }: IndexPlan, scan = 0): Doc {
  const { fields } = index.definition;
  return Object.fromEntries(
    fields.map(({ path, direction }, i) => {
      const texts = (scans[scan]?.[i] ?? []).map((interval) => intervalText(interval, direction, forward));
      return [path, forward ? texts : texts.reverse()];
    }),
  );
}

function intervalText({ from, to }: Interval, direction: 1 | -1, forward: boolean): string {
  const start = { text: endText(from, direction, 'start'), isInside: !from.endsWith(AFTER) };
  const end = { text: endText(to, direction, 'end'), isInside: to.endsWith(AFTER) };
  const [first, last] = forward ? [start, end] : [end, start];
  return `${first.isInside ? '[' : '('}${first.text}, ${last.text}${last.isInside ? ']' : ')'}`;
}

/**
 * Returns one end of an interval as text. The end of a type is shown by the type's name, because most types have no
 * last value.
 */
function endText(cut: string, direction: 1 | -1, side: 'start' | 'end'): string {
  const key = cut.endsWith(AFTER) ? cut.slice(0, -1) : cut;
  if (key === '') return (side === 'start') === (direction === 1) ? 'MinKey' : 'MaxKey';
  const bytes = Buffer.from(key, 'latin1').map((byte) => (direction === 1 ? byte : 0xff - byte));
  return valueText(Buffer.from(bytes));
}

function valueText(bytes: Buffer): string {
  const [type] = bytes;
  const name = Object.entries(TYPE_BYTE).find(([, byte]) => byte === type)?.[0] ?? 'value';
  if (bytes.length === 1) return ALONE.get(name) ?? `any ${name}`;
  switch (name) {
    case 'number':
      return String(doubleAt(bytes));
    case 'date':
      return `new Date(${doubleAt(bytes)})`;
    case 'string':
      return shellText(bytes.toString('utf8', 1, bytes.length - Number(bytes.at(-1) === 0)));
    case 'objectId':
      return `ObjectId('${new ObjectId(bytes.subarray(1, 13)).toHexString()}')`;
    case 'bool':
      return String(bytes[1] === 1);
    default:
      return `a ${name}`;
  }
}

const ALONE: ReadonlyMap<string, string> = new Map([
  ['minKey', 'MinKey'],
  ['maxKey', 'MaxKey'],
  ['null', 'null'],
  ['emptyArray', '[]'],
]);

/** Reads the double after the type byte, and restores the bits that were inverted for sorting. */
function doubleAt(bytes: Buffer): number {
  const copy = Buffer.from(bytes.subarray(1, 9));
  if (((copy[0] ?? 0) & 0x80) !== 0) copy[0] = (copy[0] ?? 0) & 0x7f;
  else for (let i = 0; i < 8; i++) copy[i] = 0xff - (copy[i] ?? 0);
  return copy.length === 8 ? copy.readDoubleBE(0) : Number.NaN;
}
