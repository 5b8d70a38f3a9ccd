import * as z from 'zod';
import { type Issue, ValidationError } from '../errors.js';
import { storableText } from '../storable-text.js';
import { isPlainObject } from './storable.js';

/** Text that stands in place of the value of a redacted field. */
export const MASK = '[redacted]';

/** Maximum number of redacted paths of a kind of job. */
const MAX_PATHS = 50;

/** A path of keys with dots between. */
export const inputPathSchema = storableText
  .min(1)
  .max(200)
  .refine(
    (path) => path.split('.').every((key) => key !== ''),
    "expected keys with dots between, such as 'customer.id'",
  );

/** Option `redact` of a definition. */
export const redactSchema = z.array(inputPathSchema).min(1).max(MAX_PATHS).optional();

/** A redacted place in two values that are read side by side. `value` is from the first, `beside` from the second. */
interface Place {
  readonly value: unknown;
  readonly beside: unknown;
  /** The keys of the place. */
  readonly at: readonly string[];
}

/**
 * Returns a copy of a value with the mask at each redacted path. `*` in a path stands for every key. A list stands for all
 * its items, except if the path names one. Absent values and nulls stay.
 *
 * @param paths undefined if nobody knows them. Then all is masked
 */
export function masked(value: unknown, paths: readonly string[] | undefined): unknown {
  if (paths === undefined) return isAbsent(value) ? value : MASK;
  return changeAt(value, undefined, paths, ({ value: inner }) => (isAbsent(inner) ? inner : MASK));
}

/** Returns the values at the redacted paths. */
export function valuesAt(value: unknown, paths: readonly string[]): unknown[] {
  const found: unknown[] = [];
  changeAt(value, undefined, paths, ({ value: inner }) => {
    found.push(inner);
    return inner;
  });
  return found;
}

/**
 * Returns a copy of an input that somebody saw with masks and sends back. Replaces each mask at a redacted path by the
 * value stored there. A mask without a stored value stays. So does a mask in a list whose length has changed, because
 * nobody knows which item was meant.
 */
export function restored(given: unknown, stored: unknown, paths: readonly string[]): unknown {
  return changeAt(given, stored, paths, ({ value, beside }) =>
    value === MASK && !isAbsent(beside) ? beside : value,
  );
}

/** Refuses an input with a mask at a redacted path. @throws ValidationError */
export function refuseMasks(input: unknown, paths: readonly string[], subject: string): void {
  const issues: Issue[] = [];
  changeAt(input, undefined, paths, ({ value, at }) => {
    if (value === MASK) issues.push({ path: at.join('.'), message: IS_MASK });
    return value;
  });
  if (issues.length > 0) throw new ValidationError(subject, issues);
}

const IS_MASK = `expected its value, not '${MASK}', which stands for it where it is not shown`;

/** Returns whether a path of an issue or of another option equals a redacted path, or lies above or below one. */
export function meets(path: string, paths: readonly string[]): boolean {
  const keys = path === '' ? [] : path.split('.');
  return paths.some((redacted) => overlap(keys, redacted.split('.')));
}

/**
 * Returns an issue for each path of an option that meets a redacted path. The value there would be shown.
 *
 * @param options the paths, and the fields that hold them
 */
export function issuesOfShown(
  options: readonly { readonly path: string; readonly at: string }[],
  redact: readonly string[],
): Issue[] {
  return options
    .filter(({ path }) => meets(path, redact))
    .map(({ path, at }) => ({
      path: at,
      message: `expected no redacted field: the value of '${path}' would be shown`,
    }));
}

/** Whether two paths may lead to the same place, or one to a place inside the other's. Items of lists may be left out. */
function overlap(one: readonly string[], other: readonly string[]): boolean {
  const [first, ...ones] = one;
  const [second, ...others] = other;
  if (first === undefined || second === undefined) return true;
  if ((first === second || first === '*' || second === '*') && overlap(ones, others)) return true;
  return (isItem(first) && overlap(ones, other)) || (isItem(second) && overlap(one, others));
}

function isItem(key: string): boolean {
  return key === '*' || isIndex(key);
}

function isIndex(key: string): boolean {
  return /^\d+$/.test(key);
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** Returns a copy of a value with changes at the paths. */
function changeAt(
  value: unknown,
  beside: unknown,
  paths: readonly string[],
  change: (place: Place) => unknown,
): unknown {
  return paths.reduce((changed, path) => {
    return changeBelow({ value: changed, beside, at: [] }, path.split('.'), change);
  }, value);
}

function changeBelow(place: Place, keys: readonly string[], change: (place: Place) => unknown): unknown {
  const { value, beside, at } = place;
  const [key, ...rest] = keys;
  if (key === undefined) return change(place);
  if (Array.isArray(value)) {
    const others = Array.isArray(beside) && beside.length === value.length ? beside : [];
    return value.map((item, index) => {
      const inner = { value: item, beside: others[index], at: [...at, String(index)] };
      if (key === '*' || key === String(index)) return changeBelow(inner, rest, change);
      return isIndex(key) ? item : changeBelow(inner, keys, change);
    });
  }
  if (!isPlainObject(value)) return value;
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => {
    if (key !== '*' && key !== name) return [name, item];
    const inner = { value: item, beside: ownMember(beside, name), at: [...at, name] };
    return [name, changeBelow(inner, rest, change)];
  });
  return Object.fromEntries(entries);
}

function ownMember(value: unknown, name: string): unknown {
  return isPlainObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
