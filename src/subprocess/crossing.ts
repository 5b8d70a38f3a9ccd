import { types } from 'node:util';
import { extendedJsonOf } from '../mongo/bson-marks.js';

/**
 * A value on its way to another thread. The structured clone alone would turn class instances into plain objects, refuse
 * functions and proxies, and call getters. So a crossing lists the places of such values, and the other side puts stand-ins
 * there. An output is then judged there as it would be here. Inherited properties, such as the message of an error, are lost.
 */
export interface Crossing {
  readonly value: unknown;
  readonly places: readonly Place[];
}

/** A value that the clone would change or refuse, and its path. */
type Place = { readonly path: readonly string[] } /** Has a class or no prototype. */ & (
  | { readonly kind: 'instance'; readonly className: string | null }
  /** A BSON value, such as an ObjectId, given as extended JSON. */
  | { readonly kind: 'bson'; readonly json: unknown }
  | { readonly kind: 'function' | 'symbol'; readonly name: string }
  | { readonly kind: 'unreadable'; readonly message: string }
);

/** Maximum number of levels, and of values. No valid output has more. */
const MAX_DEPTH = 100;
const MAX_VALUES = 2_000_000;
/**
 * Number of values that an object deeper than `MAX_DEPTH` counts as. Its members are not followed, since it is refused anyway.
 */
const TOO_DEEP = 10_000;

/** Wraps a value. Returns undefined if it has more than `maxValues` values. Never throws. */
export function toCrossing(value: unknown, maxValues = MAX_VALUES): Crossing | undefined {
  const copying: Copying = { places: [], copies: new Map(), valuesLeft: maxValues };
  const copy = copyValue(value, [], copying);
  return copying.valuesLeft < 0 ? undefined : { value: copy, places: copying.places };
}

/** Unwraps a value. @param reviveBson makes a BSON value from its extended JSON */
export function fromCrossing(
  { value, places }: Crossing,
  reviveBson: (json: unknown) => unknown = (json) => json,
): unknown {
  const root = { value };
  for (const place of places) putBack(root, ['value', ...place.path], place, reviveBson);
  return root.value;
}

interface Copying {
  readonly places: Place[];
  /** Maps objects to their copies, so that shared and circular references are preserved. */
  readonly copies: Map<object, object>;
  valuesLeft: number;
}

function copyValue(value: unknown, path: readonly string[], copying: Copying): unknown {
  copying.valuesLeft -= 1;
  if (copying.valuesLeft < 0) return undefined;
  if (typeof value === 'function' || typeof value === 'symbol') {
    copying.places.push({ path, ...nameOf(value) });
    return null;
  }
  if (typeof value !== 'object' || value === null) return value;
  try {
    return copyObject(value, path, copying);
  } catch (error) {
    copying.places.push({ path, kind: 'unreadable', message: messageOf(error) });
    return null;
  }
}

function copyObject(value: object, path: readonly string[], copying: Copying): unknown {
  if (!isPlain(value) && isCloneable(value)) return value;
  if (path.length > MAX_DEPTH) {
    copying.valuesLeft -= TOO_DEEP;
    return {};
  }
  const known = copying.copies.get(value);
  if (known) return known;
  const json = extendedJsonOf(value);
  if (json !== undefined) {
    copying.places.push({ path, kind: 'bson', json });
    return null;
  }
  const copy: object = Array.isArray(value) ? [] : {};
  copying.copies.set(value, copy);
  const className = classNameOf(value);
  if (className !== undefined) copying.places.push({ path, kind: 'instance', className });
  if (Array.isArray(value)) Reflect.set(copy, 'length', value.length);
  for (const key of keysOf(value)) {
    if (copying.valuesLeft < 0) break;
    copyMember(value, copy, key, path, copying);
  }
  return copy;
}

function copyMember(
  value: object,
  copy: object,
  key: string,
  path: readonly string[],
  copying: Copying,
): void {
  const at = [...path, key];
  let member: unknown = null;
  try {
    member = Reflect.get(value, key);
  } catch (error) {
    copying.places.push({ path: at, kind: 'unreadable', message: messageOf(error) });
  }
  define(copy, key, copyValue(member, at, copying));
}

function nameOf(value: symbol | object) {
  return typeof value === 'symbol'
    ? { kind: 'symbol' as const, name: value.description ?? '' }
    : { kind: 'function' as const, name: 'name' in value ? String(value.name) : '' };
}

/** Returns the keys of an object, or the existing indices of a list. A list with holes may have any length. */
function keysOf(value: object): string[] {
  const keys = Object.keys(value);
  return Array.isArray(value) ? keys.filter((key) => /^\d+$/.test(key)) : keys;
}

/**
 * Returns whether a value is a plain object or list. Checked first, since the check is quick and most values are plain.
 */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype;
}

/** Returns whether a clone of the value equals it. The clone may still refuse the contents of a Map or a Set. */
function isCloneable(value: object): boolean {
  return (
    types.isDate(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isRegExp(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isBoxedPrimitive(value) ||
    (ArrayBuffer.isView(value) && !('_bsontype' in value))
  );
}

/** Returns undefined for a plain object or list, and null for an object without a prototype. */
function classNameOf(value: object): string | null | undefined {
  const prototype: { readonly constructor?: { readonly name?: unknown } } | null =
    Object.getPrototypeOf(value);
  if (Array.isArray(value) || prototype === Object.prototype) return undefined;
  return prototype && String(prototype.constructor?.name).slice(0, 100);
}

function putBack(
  root: object,
  path: readonly string[],
  place: Place,
  reviveBson: (json: unknown) => unknown,
): void {
  const key = path.at(-1) ?? '';
  const parent = path.slice(0, -1).reduce<unknown>((value, name) => Reflect.get(Object(value), name), root);
  if (typeof parent !== 'object' || parent === null) return;
  if (place.kind === 'instance')
    Object.setPrototypeOf(Object(Reflect.get(parent, key)), prototypeNamed(place.className));
  else if (place.kind === 'unreadable') defineUnreadable(parent, key, place.message);
  else define(parent, key, place.kind === 'bson' ? reviveBson(place.json) : standIn(place));
}

function standIn({ kind, name }: { readonly kind: 'function' | 'symbol'; readonly name: string }): unknown {
  if (kind === 'symbol') return Symbol(name);
  const call = () => {
    throw new Error('This function is of another thread.');
  };
  return Object.defineProperty(call, 'name', { value: name });
}

/** Returns a prototype that stands in for a class that this thread does not know. */
function prototypeNamed(className: string | null): object | null {
  if (className === null) return null;
  const { prototype } = Object.defineProperty(class {}, 'name', { value: className });
  return prototype;
}

function defineUnreadable(target: object, key: string, message: string): void {
  const get = () => {
    throw new Error(message);
  };
  Object.defineProperty(target, key, { get, enumerable: true, configurable: true });
}

/** Sets a member of a copy. A copy has no setters except `__proto__`. Keeps a getter that stands for an unreadable member. */
function define(target: object, key: string, value: unknown): void {
  if (key !== '__proto__') Reflect.set(target, key, value);
  else Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return 'what was thrown cannot be read';
  }
}
