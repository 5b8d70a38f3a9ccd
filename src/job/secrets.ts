import { inspect, types } from 'node:util';
import { isKind } from '../brand.js';
import { type Issue, SchemaFailedError, ValidationError } from '../errors.js';
import { isBsonValue } from '../mongo/bson-marks.js';
import { nameOf } from '../mongo/driver-error.js';
import type { Failure } from './failure.js';
import type { LoggedText } from './log-line.js';
import { MASK, meets, valuesAt } from './redacted-paths.js';
import { isPlainObject } from './storable.js';

/** Shorter values would be found everywhere. They are masked where they stand in the input, and not in texts. */
const MIN_LENGTH = 3;

/** Shorter values are found only as whole words. */
const MIN_PART_LENGTH = 6;

/** Maximum length of a text to look for. A longer value is found by its beginning. */
const MAX_NEEDLE_LENGTH = 200;

/** Maximum number of texts to look for. With more, every text is masked. */
const MAX_NEEDLES = 20_000;

/** Texts below this length were not cut, so no value stands at their end in part. */
const MIN_CUT_LENGTH = 500;

/** Minimum length of the beginning of a value that is masked at the end of a cut text. */
const MIN_BEGINNING_LENGTH = 4;

/**
 * Finds the values of an input's redacted fields in everything else that is told of its job: error messages, stacks and log
 * lines. Also finds each value in the form in which JSON, `inspect` or an address writes it.
 */
export class Secrets {
  readonly #needles = new Map<string, string>();
  /** All texts of the values, of whatever length. */
  readonly #texts = new Set<string>();
  #pattern: RegExp | undefined;

  constructor(private readonly paths: readonly string[]) {}

  /** Adds the values of an input. @returns itself */
  learn(input: unknown): this {
    for (const value of valuesAt(input, this.paths)) this.#add(value);
    this.#pattern = undefined;
    return this;
  }

  /** Returns a text with the mask in place of each value. */
  hide(text: string): string {
    if (this.#needles.size === 0) return text;
    if (this.#needles.size > MAX_NEEDLES) return MASK;
    this.#pattern ??= patternOf(this.#needles.keys());
    const found = [...text.matchAll(this.#pattern)];
    const parts: string[] = [];
    let end = 0;
    for (const { 0: needle, index } of found) {
      if (index < end) continue;
      parts.push(text.slice(end, index), MASK);
      end = index + this.#lengthAt(text.slice(index), needle);
    }
    return this.#withoutBeginning(parts.join('') + text.slice(end));
  }

  /** Returns a copy of a value with the mask in place of each value in its texts and keys. */
  hideIn(value: unknown): unknown {
    if (typeof value === 'string') return this.hide(value);
    if (typeof value === 'number' || typeof value === 'bigint')
      return this.hide(String(value)) === String(value) ? value : MASK;
    if (Array.isArray(value)) return value.map((item) => this.hideIn(item));
    if (isPlainObject(value))
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [this.hide(name), this.hideIn(item)]),
      );
    if (value instanceof Error) return this.hide(String(value));
    if (types.isDate(value) || (typeof value === 'object' && value !== null && isBsonValue(value)))
      return textsOf(value).some((text) => this.#texts.has(text)) ? MASK : value;
    return value;
  }

  hideInLine({ message, fields }: LoggedText): LoggedText {
    return {
      message: this.hide(message),
      ...(fields !== undefined && { fields: JSON.stringify(this.hideIn(JSON.parse(fields))) }),
    };
  }

  hideFailure<Hidden extends Pick<Failure, 'message' | 'stack' | 'causes'>>(failure: Hidden): Hidden {
    const { message, stack, causes } = failure;
    return {
      ...failure,
      message: this.hide(message),
      ...(stack !== undefined && { stack: this.hide(stack) }),
      ...(causes && {
        causes: causes.map((cause) => ({
          ...cause,
          message: this.hide(cause.message),
          ...(cause.stack !== undefined && { stack: this.hide(cause.stack) }),
        })),
      }),
    };
  }

  /** Returns a schema's error without the values. Returns any other error as it is. */
  hideInError(error: unknown): unknown {
    if (isKind(error, ValidationError))
      return new ValidationError(
        error.subject,
        error.issues.map((issue) => this.#hideIssue(issue)),
      );
    if (!isKind(error, SchemaFailedError)) return error;
    const { subject, reason, cause } = error;
    // The cause tells the same once more. That a schema did not answer tells nothing.
    const kept = nameOf(cause) === 'NoAnswer' ? { cause } : {};
    return new SchemaFailedError(subject, this.hide(reason), kept);
  }

  /** Leaves out a message about a redacted field that contains its value, however short the value is. */
  #hideIssue({ path, message }: Issue): Issue {
    const isTold = meets(path, this.paths) && [...this.#texts].some((text) => message.includes(text));
    return { path: this.hide(path), message: isTold ? UNTOLD : this.hide(message) };
  }

  #add(value: unknown): void {
    if (this.#needles.size > MAX_NEEDLES) return;
    if (Array.isArray(value)) for (const item of value) this.#add(item);
    else if (isPlainObject(value)) for (const item of Object.values(value)) this.#add(item);
    else for (const text of textsOf(value)) this.#addText(text);
  }

  #addText(text: string): void {
    if (text !== '') this.#texts.add(text);
    for (const form of formsOf(text))
      if (form.length >= MIN_LENGTH) this.#needles.set(form.slice(0, MAX_NEEDLE_LENGTH).toLowerCase(), form);
  }

  /** Returns how much of a text belongs to the value at its beginning. */
  #lengthAt(text: string, needle: string): number {
    const whole = this.#needles.get(needle.toLowerCase()) ?? needle;
    let length = needle.length;
    while (length < Math.min(whole.length, text.length) && text[length] === whole[length]) length += 1;
    return length;
  }

  /** A text that was cut may end with the beginning of a value. */
  #withoutBeginning(text: string): string {
    if (text.length < MIN_CUT_LENGTH) return text;
    const end = text.slice(-MAX_NEEDLE_LENGTH).replace(/…$/, '').toLowerCase();
    let longest = 0;
    for (const needle of this.#needles.keys())
      for (let length = needle.length - 1; length >= MIN_BEGINNING_LENGTH && length > longest; length -= 1)
        if (end.endsWith(needle.slice(0, length))) longest = length;
    if (longest === 0) return text;
    const cutAt = text.endsWith('…') ? text.length - 1 : text.length;
    return text.slice(0, cutAt - longest) + MASK;
  }
}

/**
 * Calls `work`, and leaves the values of redacted fields out of errors about the input.
 *
 * @throws errors of `work`
 */
export async function hidingIn<Result>(
  paths: readonly string[],
  input: unknown,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new Secrets(paths).learn(input).hideInError(error);
  }
}

const UNTOLD = 'it is not as expected; the reason is left out, because it contains a value that is redacted';

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)];
  if (types.isDate(value)) return [value.toISOString()];
  return typeof value === 'object' && value !== null && isBsonValue(value) ? [String(value)] : [];
}

function formsOf(text: string): Set<string> {
  const trimmed = text.trim();
  return new Set([
    trimmed,
    JSON.stringify(trimmed).slice(1, -1),
    inspect(trimmed, { maxStringLength: null }).slice(1, -1),
    encodeURIComponent(trimmed.toWellFormed()),
  ]);
}

/** Finds the longest first, since one may contain another. */
function patternOf(needles: Iterable<string>): RegExp {
  const parts = [...needles]
    .sort((one, other) => other.length - one.length)
    .map((needle) => {
      const literal = needle.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
      return needle.length < MIN_PART_LENGTH ? `(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])` : literal;
    });
  return new RegExp(parts.join('|'), 'giu');
}
