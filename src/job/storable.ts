import { inspect } from 'node:util';
import { BSON } from 'mongodb';
import { type Issue, ValidationError } from '../errors.js';

const MEGABYTE = 1024 * 1024;

/** MongoDB's limit for a document is 16 MB: so much of it for each, and 1 MB for errors, log lines and its own fields. */
const maxBytes = { input: 10 * MEGABYTE, output: 4 * MEGABYTE, progress: 1 * MEGABYTE };

/** MongoDB refuses documents nested deeper than 100 levels; the value itself lies one level down. */
const MAX_DEPTH = 90;

/** An input as it is stored. @throws ValidationError: see `toStorable` */
export function toInput(value: unknown, jobName: string): unknown {
  return toStorable(value, `Input of job '${jobName}'`, maxBytes.input);
}

/** An output as it is stored. @throws ValidationError: see `toStorable` */
export function toOutput(value: unknown, jobName: string): unknown {
  return toStorable(value, `Output of job '${jobName}'`, maxBytes.output);
}

/** Progress as it is stored. @throws ValidationError: see `toStorable` */
export function toProgress(value: unknown): unknown {
  return toStorable(value, 'Progress', maxBytes.progress);
}

/**
 * Checks that MongoDB gives back `value` exactly as it is, and returns it without `undefined` properties
 * (as JSON does). Storable are: null, booleans, numbers, strings, dates, BSON values such as ObjectId, and
 * arrays and plain objects of these.
 *
 * Refused is what MongoDB or its driver would change or misread: keys that the driver takes for a value of
 * its own (`_bsontype`, `$ref`, `$id`, `$db`), `__proto__`, keys with a NUL, lone surrogates, functions,
 * class instances, `undefined` in arrays, circular references, more than 90 levels, and what is too large.
 *
 * @param subject names the value in the error
 * @throws ValidationError naming the path
 */
function toStorable(value: unknown, subject: string, limit: number): unknown {
  if (value === undefined) return undefined;
  const issues: Issue[] = [];
  const copy = copyValue(value, [], issues);
  if (issues.length > 0) throw new ValidationError(subject, issues);
  const bytes = BSON.calculateObjectSize({ value: copy });
  if (bytes <= limit) return copy;
  throw new ValidationError(subject, [
    {
      path: '',
      message: `expected at most ${limit} bytes as BSON, not ${bytes}: store the data elsewhere and pass a reference`,
    },
  ]);
}

const refusedKeys = new Set(['_bsontype', '__proto__', '$ref', '$id', '$db']);

function copyValue(value: unknown, path: readonly string[], issues: Issue[]): unknown {
  if (path.length > MAX_DEPTH) {
    return refuse(
      `expected at most ${MAX_DEPTH} levels and no circular references`,
      path.slice(0, 3),
      issues,
    );
  }
  switch (typeof value) {
    case 'boolean':
    case 'number':
      return value;
    case 'string':
      return value.isWellFormed()
        ? value
        : refuse('expected well-formed Unicode, found a lone surrogate', path, issues);
    case 'object':
      return value === null ? null : copyObject(value, path, issues);
    default:
      return refuse(`expected a value that can be stored, not a ${typeof value}`, path, issues);
  }
}

function copyObject(value: object, path: readonly string[], issues: Issue[]): unknown {
  if (Array.isArray(value))
    return value.map((item, index) => copyValue(item, [...path, String(index)], issues));
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? refuse('expected a valid date', path, issues) : value;
  }
  if (isBsonValue(value)) return value;
  if (!isPlainObject(value)) {
    return refuse(`expected a plain object, not ${inspect(value, { depth: 0 })}`.slice(0, 200), path, issues);
  }
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (refusedKeys.has(key)) refuse(`the key '${key}' cannot be stored`, [...path, key], issues);
    else if (key.includes('\0') || !key.isWellFormed())
      refuse('the key cannot be stored', [...path, JSON.stringify(key)], issues);
    else if (item !== undefined) copy[key] = copyValue(item, [...path, key], issues);
  }
  return copy;
}

/** No class instance and no list: what an object literal, or JSON, makes. */
export function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** An instance of a BSON class. Parsed JSON cannot pose as one: there `_bsontype` is an own property. */
function isBsonValue(value: object): boolean {
  return '_bsontype' in value && !Object.hasOwn(value, '_bsontype');
}

function refuse(message: string, path: readonly string[], issues: Issue[]): undefined {
  issues.push({ path: path.join('.'), message });
  return undefined;
}
