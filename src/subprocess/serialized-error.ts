import { brandOf } from '../brand.js';
import { RemoteException, RetryAfter, Snooze } from '../errors.js';
import { isError, toFailure } from '../job/failure.js';
import { type Crossing, fromCrossing, toCrossing } from './crossing.js';

/** Whatever was thrown, in the form in which it crosses from one thread to another. */
export type SerializedError =
  | {
      readonly kind: 'error';
      /** Which of ours it is, in whichever copy of this package it was made. */
      readonly brand: string | undefined;
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      readonly cause: SerializedError | undefined;
      /** Those that it gathers, as an AggregateError does. */
      readonly errors: readonly SerializedError[] | undefined;
      /** Own properties such as `code`. */
      readonly fields: Crossing;
    }
  /** It is no error. */
  | { readonly kind: 'value'; readonly value: Crossing };

/** Causes may form a circle, and nobody reads further. */
const MAX_CAUSES = 5;
const MAX_ERRORS = 10;
const MAX_FIELDS = 100;

/** Of a field, or of a value that is no error: more is of no use to who looks at an error, such as a whole request. */
const MAX_VALUES = 1_000;

const nothing: Crossing = { value: {}, places: [] };

/**
 * What was thrown, ready for `postMessage`: the structured clone alone would lose the name and the `code`. Never throws.
 */
export function serializeError(thrown: unknown, causesLeft = MAX_CAUSES): SerializedError {
  try {
    return isError(thrown) ? serialize(thrown, causesLeft) : { kind: 'value', value: asValue(thrown) };
  } catch {
    return textOnly(thrown);
  }
}

/** The same where even that cannot be posted, since a Map in it has a function, say. */
export function textOnly(thrown: unknown): SerializedError {
  const { message, stack } = toFailure(thrown);
  return {
    kind: 'error',
    brand: undefined,
    name: 'Error',
    message,
    stack,
    cause: undefined,
    errors: undefined,
    fields: nothing,
  };
}

function serialize(thrown: Error, causesLeft: number): SerializedError {
  const { name, message, stack, cause } = thrown;
  const errors: unknown = 'errors' in thrown ? thrown.errors : undefined;
  const follow = (each: unknown) => serializeError(each, causesLeft - 1);
  return {
    kind: 'error',
    brand: brandOf(thrown),
    name: String(name),
    message: String(message),
    stack: typeof stack === 'string' ? stack : undefined,
    cause: cause !== undefined && causesLeft > 0 ? follow(cause) : undefined,
    errors: Array.isArray(errors) && causesLeft > 0 ? errors.slice(0, MAX_ERRORS).map(follow) : undefined,
    fields: toCrossing(fieldsOf(thrown)) ?? nothing,
  };
}

/** A value as it is, or its text when there is too much of it. */
function asValue(thrown: unknown): Crossing {
  return toCrossing(thrown, MAX_VALUES) ?? { value: toFailure(thrown).message, places: [] };
}

type Unwrap = (crossing: Crossing) => unknown;

/**
 * What was thrown, again. A RemoteException, RetryAfter or Snooze is one here too: `instanceof` does not survive the way,
 * but its brand does.
 */
export function reviveError(serialized: SerializedError, unwrap: Unwrap = fromCrossing): unknown {
  if (serialized.kind === 'value') return unwrap(serialized.value);
  const { name, message, stack, cause, errors } = serialized;
  const fields = Object.entries(Object(unwrap(serialized.fields)));
  const options = cause === undefined ? {} : { cause: reviveError(cause, unwrap) };
  const { delay } = Object.fromEntries(fields);
  const error = revive(serialized.brand, delay, message, options);
  for (const [key, value] of fields) define(error, key, value, true);
  if (errors)
    define(
      error,
      'errors',
      errors.map((each) => reviveError(each, unwrap)),
      false,
    );
  define(error, 'name', name, false);
  define(error, 'stack', stack, false);
  return error;
}

/** What a job throws to be understood by its worker. */
function revive(brand: string | undefined, delay: unknown, message: string, options: ErrorOptions): Error {
  if (brand === brandOf(RemoteException.prototype)) return new RemoteException(message, options);
  if (typeof delay === 'number' || typeof delay === 'string') {
    if (brand === brandOf(Snooze.prototype)) return new Snooze(delay);
    if (brand === brandOf(RetryAfter.prototype)) return new RetryAfter(delay, message, options);
  }
  return new Error(message, options);
}

const own = new Set(['name', 'message', 'stack', 'cause', 'errors']);

/** Those that can be read, and are not too large: an error of an HTTP client may carry all of its request. */
function fieldsOf(error: Error): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const key of Object.keys(error).slice(0, MAX_FIELDS)) {
    if (own.has(key)) continue;
    try {
      const value: unknown = Reflect.get(error, key);
      if (toCrossing(value, MAX_VALUES)) define(fields, key, value, true);
    } catch {
      // A getter that throws.
    }
  }
  return fields;
}

/** Unlike an assignment it minds no setter, getter or `__proto__`. */
function define(target: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}
