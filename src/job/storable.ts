import { types } from 'node:util';
import { BSON } from 'mongodb';
import { type Issue, ValidationError } from '../errors.js';
import { MAX_ISSUES } from '../issues.js';
import { isBsonValue } from '../mongo/bson-marks.js';
import { toOwnBson } from '../mongo/own-bson.js';
import { toFailure } from './failure.js';

const MEGABYTE = 1024 * 1024;

/** MongoDB's limit for a document is 16 MB: so much of it for each, and 1 MB for errors, log lines and its own fields. */
const maxBytes = { input: 10 * MEGABYTE, output: 4 * MEGABYTE, progress: 1 * MEGABYTE };

/** MongoDB refuses documents nested deeper than 100 levels; the value itself lies one level down. */
const MAX_DEPTH = 90;

/** A value as it is stored. */
export interface Storable {
  readonly value: unknown;
  /** As BSON. */
  readonly bytes: number;
}

/** An input as it is stored. @throws ValidationError: see `toStorable` */
export function toInput(value: unknown, jobName: string): unknown {
  return toStorable(value, `Input of job '${jobName}'`, maxBytes.input).value;
}

/** An output as it is stored, and its size as BSON. @throws ValidationError: see `toStorable` */
export function toOutput(value: unknown, jobName: string): Storable {
  return toStorable(value, `Output of job '${jobName}'`, maxBytes.output);
}

/** Progress as it is stored. @throws ValidationError: see `toStorable` */
export function toProgress(value: unknown): unknown {
  return toStorable(value, 'Progress', maxBytes.progress).value;
}

/** A type, a key of one character, and the end of that: no value takes less as BSON. */
const MIN_VALUE_BYTES = 3;

/**
 * Checks that MongoDB gives back `value` exactly as it is, and returns it without `undefined` properties
 * (as JSON does). Storable are: null, booleans, numbers, strings, dates, BSON values such as ObjectId (of any copy of
 * the `bson` package), and arrays and plain objects of these.
 *
 * Refused is what MongoDB or its driver would change or misread: keys that the driver takes for a value of
 * its own (`_bsontype`, `$ref`, `$id`, `$db`), `__proto__`, lists by a name that every object has (`valueOf`), keys with a NUL, lone surrogates, functions,
 * class instances, `undefined` in arrays, circular references, more than 90 levels, and what is too large.
 *
 * Takes no longer than a value of the limit's size does, whatever `value` is: one that refers to the same things again
 * and again has many times as many values as it has things.
 *
 * @param subject names the value in the error
 * @throws ValidationError naming the path
 */
function toStorable(value: unknown, subject: string, limit: number): Storable {
  if (value === undefined) return { value, bytes: 0 };
  const copying = {
    issues: [],
    ancestors: new Set<object>(),
    valuesLeft: Math.ceil(limit / MIN_VALUE_BYTES),
  };
  const copy = copyValue(value, [], copying);
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

/** The state of copying a value. */
interface Copying {
  readonly issues: Issue[];
  /** Of the value that is looked at. */
  readonly ancestors: Set<object>;
  /** How many more values there may be; below 0 it is too large, and the rest is passed over. */
  valuesLeft: number;
}

function copyValue(value: unknown, path: readonly string[], copying: Copying): unknown {
  copying.valuesLeft -= 1;
  if (path.length > MAX_DEPTH)
    return refuse(`expected at most ${MAX_DEPTH} levels`, path.slice(0, 3), copying);
  switch (typeof value) {
    case 'boolean':
    case 'number':
      return value;
    case 'string':
      return value.isWellFormed()
        ? value
        : refuse('expected well-formed Unicode, found a lone surrogate', path, copying);
    case 'object':
      return value === null ? null : copyReadable(value, path, copying);
    default:
      return refuse(`expected a value that can be stored, not a ${typeof value}`, path, copying);
  }
}

/** A getter may throw, and a proxy at any question. */
function copyReadable(value: object, path: readonly string[], copying: Copying): unknown {
  try {
    return copyObject(value, path, copying);
  } catch (error) {
    return refuse(`could not be read: ${toFailure(error).message}`, path, copying);
  }
}

function copyObject(value: object, path: readonly string[], copying: Copying): unknown {
  if (types.isDate(value)) {
    return Number.isNaN(value.getTime()) ? refuse('expected a valid date', path, copying) : value;
  }
  if (!Array.isArray(value) && isBsonValue(value)) {
    const own = toOwnBson(value);
    BSON.calculateObjectSize({ own }); // Throws for one that holds what cannot be stored.
    return own;
  }
  if (copying.ancestors.has(value)) return refuse('expected no circular reference', path, copying);
  copying.ancestors.add(value);
  const copy = Array.isArray(value) ? copyItems(value, path, copying) : copyProperties(value, path, copying);
  copying.ancestors.delete(value);
  return copy;
}

function copyItems(items: readonly unknown[], path: readonly string[], copying: Copying): unknown {
  // One by one, for a list may be long, and have holes.
  const copy: unknown[] = [];
  for (let index = 0; index < items.length && !isOver(copying); index += 1)
    copy.push(copyValue(items[index], [...path, String(index)], copying));
  return copy;
}

function copyProperties(value: object, path: readonly string[], copying: Copying): unknown {
  if (!isPlainObject(value)) {
    return refuse(`expected a plain object, not an instance of ${classOf(value)}`, path, copying);
  }
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (isOver(copying)) break;
    const item = readMember(value, key, path, copying);
    if (refusedKeys.has(key) || isMisreadList(key, item))
      refuse(`the key '${key}' cannot be stored`, [...path, key], copying);
    else if (key.includes('\0') || !key.isWellFormed())
      refuse('the key cannot be stored', [...path, JSON.stringify(key)], copying);
    else if (item !== undefined) copy[key] = copyValue(item, [...path, key], copying);
  }
  return copy;
}

/** The driver looks up a list's name among options, where it finds what every object has, and gives back bytes. */
function isMisreadList(key: string, item: unknown): boolean {
  return Array.isArray(item) && key in Object.prototype;
}

function readMember(value: object, key: string, path: readonly string[], copying: Copying): unknown {
  try {
    return Reflect.get(value, key);
  } catch (error) {
    return refuse(`could not be read: ${toFailure(error).message}`, [...path, key], copying);
  }
}

/** Returns the class's name alone. It comes into logs, where no input or output should be. */
function classOf(value: object): string {
  const prototype: { readonly constructor?: { readonly name?: unknown } } | null =
    Object.getPrototypeOf(value);
  return String(prototype?.constructor?.name).slice(0, 100);
}

/** It is refused, and nothing more is to be learned. */
function isOver({ valuesLeft, issues }: Copying): boolean {
  return valuesLeft < 0 || issues.length >= MAX_ISSUES;
}

/** No class instance and no list: what an object literal, or JSON, makes. */
export function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function refuse(message: string, path: readonly string[], { issues }: Copying): undefined {
  issues.push({ path: path.join('.'), message });
  return undefined;
}
