import { brandOf } from '../brand.js';
import { RemoteException, RetryAfter, Snooze } from '../errors.js';
import { isError } from '../is-error.js';
import { toFailure } from '../job/failure.js';
import { type Crossing, fromCrossing, toCrossing } from './crossing.js';

/** Any thrown value, in its form between threads. */
export type SerializedError =
  | {
      readonly kind: 'error';
      /** The brand of an error of this package, whichever copy made it. */
      readonly brand: string | undefined;
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      readonly cause: SerializedError | undefined;
      /** The `errors` of an AggregateError. */
      readonly errors: readonly SerializedError[] | undefined;
      /** Own properties such as `code`. */
      readonly fields: Crossing;
    }
  /** A thrown value that is not an error. */
  | { readonly kind: 'value'; readonly value: Crossing };

/** Maximum number of causes, and of errors. Causes may be circular, and nobody reads further. */
const MAX_CAUSES = 5;
const MAX_ERRORS = 10;
const MAX_FIELDS = 100;

/**
 * Maximum number of values in a field, or in a thrown value that is not an error. A larger value, such as a whole request,
 * helps nobody.
 */
const MAX_VALUES = 1_000;

const nothing: Crossing = { value: {}, places: [] };

/**
 * Prepares a thrown value for `postMessage`. The structured clone would lose an error's name and `code`. Never throws.
 */
export function serializeError(thrown: unknown, causesLeft = MAX_CAUSES): SerializedError {
  try {
    return isError(thrown) ? serialize(thrown, causesLeft) : { kind: 'value', value: asValue(thrown) };
  } catch {
    return textOnly(thrown);
  }
}

/**
 * Returns only the message and stack of an error. Used for an error that cannot be posted, such as one with a function in a
 * Map.
 */
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

/** Returns a value wrapped for crossing, or its text if it is too large. */
function asValue(thrown: unknown): Crossing {
  return toCrossing(thrown, MAX_VALUES) ?? { value: toFailure(thrown).message, places: [] };
}

type Unwrap = (crossing: Crossing) => unknown;

/**
 * Restores the thrown value. A RemoteException, RetryAfter or Snooze is restored by its brand, since `instanceof` does
 * not survive the crossing.
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

/**
 * Returns an error of the class with this brand, so that the worker recognizes it. Without such a class, returns a plain error.
 */
function revive(brand: string | undefined, delay: unknown, message: string, options: ErrorOptions): Error {
  if (brand === brandOf(RemoteException.prototype)) return new RemoteException(message, options);
  if (typeof delay === 'number' || typeof delay === 'string') {
    if (brand === brandOf(Snooze.prototype)) return new Snooze(delay);
    if (brand === brandOf(RetryAfter.prototype)) return new RetryAfter(delay, message, options);
  }
  return new Error(message, options);
}

const own = new Set(['name', 'message', 'stack', 'cause', 'errors']);

/** Returns the fields that can be read and are small. An HTTP client's error may contain its whole request. */
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

/** Defines a property. An assignment would call setters, fail on getters, and misread `__proto__`. */
function define(target: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}
