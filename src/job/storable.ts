import { types } from 'node:util';
import { BSON } from 'mongodb';
import { type Issue, ValidationError } from '../errors.js';
import { MAX_ISSUES } from '../issues.js';
import { isBsonValue } from '../mongo/bson-marks.js';
import { toOwnBson } from '../mongo/own-bson.js';
import { toFailure } from './failure.js';

const MEGABYTE = 1024 * 1024;

/** Parts of MongoDB's 16 MB per document. 1 MB is left for errors, log lines and other fields. */
const maxBytes = { input: 10 * MEGABYTE, output: 4 * MEGABYTE, progress: 1 * MEGABYTE };

/** Limit of the result of a step. Beside results and signals there is less room for the output. */
export const MAX_STEP_BYTES: number = MEGABYTE;

/** Limit of a cursor and of a signal. A job may hold many of them. */
const MAX_SMALL_BYTES = 64 * 1024;

/** Maximum depth. MongoDB refuses more than 100 levels, and the value itself lies one level down. */
const MAX_DEPTH = 90;

/** A value in the form in which it is stored. */
export interface Storable {
  readonly value: unknown;
  /** Size as BSON. */
  readonly bytes: number;
}

/** Returns an input in its stored form. @throws ValidationError as in `toStorable` */
export function toInput(value: unknown, jobName: string): unknown {
  return toStorable(value, `Input of job '${jobName}'`, maxBytes.input).value;
}

/** Returns an output in its stored form, and its size as BSON. @throws ValidationError as in `toStorable` */
export function toOutput(value: unknown, jobName: string): Storable {
  return toStorable(value, `Output of job '${jobName}'`, maxBytes.output);
}

/** Returns a progress value in its stored form. @throws ValidationError as in `toStorable` */
export function toProgress(value: unknown): unknown {
  return toStorable(value, 'Progress', maxBytes.progress).value;
}

/** Returns the result of a step in its stored form. @throws ValidationError as in `toStorable` */
export function toStepResult(value: unknown, step: string): unknown {
  return toStorable(value, `Result of step '${step}'`, MAX_STEP_BYTES).value;
}

/** Returns the cursor of a step in its stored form. @throws ValidationError as in `toStorable` */
export function toCursor(value: unknown, step: string): unknown {
  return toStorable(value, `Cursor of step '${step}'`, MAX_SMALL_BYTES).value;
}

/** Returns the payload of a signal in its stored form, and its size. @throws ValidationError as in `toStorable` */
export function toPayload(value: unknown, signal: string): Storable {
  return toStorable(value, `Payload of signal '${signal}'`, MAX_SMALL_BYTES);
}

/** The smallest value in BSON: a type, a key of one character, and its terminator. */
const MIN_VALUE_BYTES = 3;

/**
 * Checks that MongoDB would return `value` unchanged, and returns a copy without `undefined` properties, as JSON does.
 * Null, booleans, numbers, strings, dates, BSON values such as ObjectId (from any copy of the `bson` package), and
 * arrays and plain objects of these can be stored.
 *
 * Refuses values that MongoDB or its driver would change or misread:
 * - keys that the driver takes for its own values (`_bsontype`, `$ref`, `$id`, `$db`), `__proto__`, and keys with a NUL
 * - lists under a name that every object has (`valueOf`), and `undefined` in arrays
 * - lone surrogates, functions, class instances and circular references
 * - more than 90 levels, and values that are too large
 *
 * Takes no longer than for a value of the maximum size. An object that is referred to several times counts each time.
 *
 * @param subject names the value in the error
 * @throws ValidationError naming the path
 */
function toStorable(value: unknown, subject: string, limit: number): Storable {
  if (value === undefined) return { value, bytes: 0 };
  const copying = {
    issues: [],
    path: [],
    ancestors: new Set<object>(),
    valuesLeft: Math.ceil(limit / MIN_VALUE_BYTES),
  };
  const copy = copyValue(value, copying);
  if (copying.issues.length > 0) throw new ValidationError(subject, copying.issues);
  if (copying.valuesLeft < 0)
    throw tooLarge(subject, limit, `over ${Math.ceil(limit / MIN_VALUE_BYTES)} values`);
  const bytes = BSON.calculateObjectSize({ value: copy });
  if (bytes > limit) throw tooLarge(subject, limit, String(bytes));
  return { value: copy, bytes };
}

function tooLarge(subject: string, limit: number, found: string): ValidationError {
  const message = `expected at most ${limit} bytes as BSON, not ${found}: store the data elsewhere and pass a reference`;
  return new ValidationError(subject, [{ path: '', message }]);
}

const refusedKeys = new Set(['_bsontype', '__proto__', '$ref', '$id', '$db']);

/** State of copying a value. */
interface Copying {
  readonly issues: Issue[];
  /** The path of the current value. One for all, because a copy for each value would cost more than all else. */
  readonly path: (string | number)[];
  /** Ancestors of the current value. */
  readonly ancestors: Set<object>;
  /** How many more values are allowed. Below 0, the value is too large and the rest is skipped. */
  valuesLeft: number;
}

function copyValue(value: unknown, copying: Copying): unknown {
  copying.valuesLeft -= 1;
  if (copying.path.length > MAX_DEPTH) return refuse(`expected at most ${MAX_DEPTH} levels`, copying, 3);
  switch (typeof value) {
    case 'boolean':
    case 'number':
      return value;
    case 'string':
      return value.isWellFormed()
        ? value
        : refuse('expected well-formed Unicode, found a lone surrogate', copying);
    case 'object':
      return value === null ? null : copyReadable(value, copying);
    default:
      return refuse(`expected a value that can be stored, not a ${typeof value}`, copying);
  }
}

/** Copies an object whose getters may throw, as may any access to a proxy. */
function copyReadable(value: object, copying: Copying): unknown {
  const depth = copying.path.length;
  try {
    return copyObject(value, copying);
  } catch (error) {
    copying.path.length = depth;
    return refuse(`could not be read: ${toFailure(error).message}`, copying);
  }
}

function copyObject(value: object, copying: Copying): unknown {
  if (types.isDate(value)) {
    return Number.isNaN(value.getTime()) ? refuse('expected a valid date', copying) : value;
  }
  if (!Array.isArray(value) && isBsonValue(value)) {
    const own = toOwnBson(value);
    BSON.calculateObjectSize({ own }); // Throws if it holds a value that cannot be stored.
    return own;
  }
  if (copying.ancestors.has(value)) return refuse('expected no circular reference', copying);
  copying.ancestors.add(value);
  const copy = Array.isArray(value) ? copyItems(value, copying) : copyProperties(value, copying);
  copying.ancestors.delete(value);
  return copy;
}

function copyItems(items: readonly unknown[], copying: Copying): unknown {
  // Copies item by item, because a list may be long and have holes.
  const copy: unknown[] = [];
  for (let index = 0; index < items.length && !isOver(copying); index += 1) {
    copying.path.push(index);
    copy.push(copyValue(items[index], copying));
    copying.path.pop();
  }
  return copy;
}

function copyProperties(value: object, copying: Copying): unknown {
  if (!isPlainObject(value)) {
    return refuse(`expected a plain object, not an instance of ${classOf(value)}`, copying);
  }
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (isOver(copying)) break;
    copying.path.push(key);
    copyProperty(copy, key, value, copying);
    copying.path.pop();
  }
  return copy;
}

function copyProperty(copy: Record<string, unknown>, key: string, value: object, copying: Copying): void {
  const item = readMember(value, key, copying);
  if (refusedKeys.has(key) || isMisreadList(key, item)) refuse(`the key '${key}' cannot be stored`, copying);
  else if (key.includes('\0') || !key.isWellFormed()) {
    copying.path[copying.path.length - 1] = JSON.stringify(key);
    refuse('the key cannot be stored', copying);
  } else if (item !== undefined) copy[key] = copyValue(item, copying);
}

/**
 * Returns whether the driver would misread a list. The driver looks up the list's key among its options. If it finds a
 * method that every object inherits, it returns bytes.
 */
function isMisreadList(key: string, item: unknown): boolean {
  return Array.isArray(item) && key in Object.prototype;
}

function readMember(value: object, key: string, copying: Copying): unknown {
  try {
    return Reflect.get(value, key);
  } catch (error) {
    return refuse(`could not be read: ${toFailure(error).message}`, copying);
  }
}

/** Returns only the class name, because the error goes into logs, which must not contain inputs or outputs. */
function classOf(value: object): string {
  const prototype: { readonly constructor?: { readonly name?: unknown } } | null =
    Object.getPrototypeOf(value);
  return String(prototype?.constructor?.name).slice(0, 100);
}

/** Returns whether the value is certainly refused, so that the rest need not be checked. */
function isOver({ valuesLeft, issues }: Copying): boolean {
  return valuesLeft < 0 || issues.length >= MAX_ISSUES;
}

/** Returns whether a value is an object as made by a literal or JSON, and not a class instance or list. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** @param levels how many levels of the path to name. Default: all */
function refuse(message: string, { issues, path }: Copying, levels?: number): undefined {
  issues.push({ path: path.slice(0, levels).join('.'), message });
  return undefined;
}
