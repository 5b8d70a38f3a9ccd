import { toNumber } from '../../bson/to-number.js';
import { isDoc, isNumeric } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import type { KeyMaker } from '../../storage/index-keys.js';
import { shiftDate } from '../expression/date-units.js';

/**
 * The window of a function. `from` and `to` count documents. A range compares the document's sort value with the sort
 * values of the others.
 */
export type Window =
  | { readonly kind: 'documents'; readonly from: number; readonly to: number }
  | {
      readonly kind: 'range';
      readonly containsOwn: boolean;
      readonly contains: (own: unknown, value: unknown) => boolean;
    };

const WHOLE: Window = { kind: 'documents', from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** Parses the window of an output of `$setWindowFields`. The default is the whole partition. */
export function parseWindow(window: unknown, keys: KeyMaker): Window {
  if (window === undefined) return WHOLE;
  const { documents, range, unit, ...others } = isDoc(window) ? window : {};
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new CommandError(9, `'window' field that is not recognized: ${unknown}`);
  if (documents !== undefined && range !== undefined)
    throw new CommandError(9, "Window bounds can specify either 'documents' or 'unit', not both.");
  const [from, to] = boundsOf(documents ?? range);
  if (from > to) throw new CommandError(5339900, 'Lower bound must not exceed upper bound');
  if (range === undefined) {
    if (keys.fields.length === 0 && (from > Number.NEGATIVE_INFINITY || to < Number.POSITIVE_INFINITY))
      throw new CommandError(5339901, 'Document-based bounds require a sortBy');
    return { kind: 'documents', from, to };
  }
  if (keys.fields.length !== 1 || keys.fields[0]?.direction !== 1)
    throw new CommandError(5339902, 'Range-based bounds require sortBy a single field, ascending');
  return { kind: 'range', containsOwn: from <= 0 && to >= 0, contains: containment(from, to, unit) };
}

function boundsOf(bounds: unknown): [number, number] {
  if (!Array.isArray(bounds) || bounds.length !== 2)
    throw new CommandError(9, 'Window bounds must be a 2-element array');
  return [boundOf(bounds[0], Number.NEGATIVE_INFINITY), boundOf(bounds[1], Number.POSITIVE_INFINITY)];
}

function boundOf(bound: unknown, unbounded: number): number {
  if (bound === 'unbounded') return unbounded;
  if (bound === 'current') return 0;
  if (isNumeric(bound)) return toNumber(bound);
  throw new CommandError(9, "Window bounds must be 'unbounded', 'current' or a number");
}

function containment(from: number, to: number, unit: unknown): (own: unknown, value: unknown) => boolean {
  if (unit === undefined) {
    return (own, value) => {
      if (!isNumeric(own))
        throw new CommandError(5429414, 'Invalid range: Expected the sortBy field to be a number');
      const distance = toNumber(value) - toNumber(own);
      return isNumeric(value) && distance >= from && distance <= to;
    };
  }
  return (own, value) => {
    if (!(own instanceof Date))
      throw new CommandError(5429513, 'Invalid range: Expected the sortBy field to be a Date');
    if (!(value instanceof Date)) return false;
    const bound = (amount: number) =>
      Number.isFinite(amount) ? shiftDate(own, String(unit), amount, undefined).getTime() : amount;
    return value.getTime() >= bound(from) && value.getTime() <= bound(to);
  };
}
