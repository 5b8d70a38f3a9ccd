import { RemoteException, RetryAfter, Snooze } from '../errors.js';

/** An error in the form in which it crosses from one thread to another. */
export interface SerializedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: SerializedError | undefined;
  /** Own properties such as `code`, as far as they are plain values. */
  readonly fields: Readonly<Record<string, Plain>>;
}

type Plain = string | number | boolean;

/** Causes may form a circle, and nobody reads further. */
const MAX_CAUSES = 5;

/**
 * What was thrown, ready for `postMessage`: the structured clone alone would lose the name and the `code`. A thrown
 * value that is no Error becomes one with the value as its message.
 */
export function serializeError(thrown: unknown, causesLeft = MAX_CAUSES): SerializedError {
  if (!(thrown instanceof Error)) return { ...nothing, name: 'Error', message: String(thrown) };
  const { name, message, stack, cause } = thrown;
  const follows = cause !== undefined && causesLeft > 0;
  return {
    name: String(name),
    message: String(message),
    stack,
    cause: follows ? serializeError(cause, causesLeft - 1) : undefined,
    fields: plainFields(thrown),
  };
}

/**
 * The error again. A RemoteException, RetryAfter or Snooze is one here too: `instanceof` does not survive the way, but
 * its `code` does.
 */
export function reviveError({ name, message, stack, cause, fields }: SerializedError): Error {
  const options = cause === undefined ? {} : { cause: reviveError(cause) };
  const error = revive(fields, message, options);
  for (const [key, value] of Object.entries(fields)) define(error, key, value, true);
  define(error, 'name', name, false);
  define(error, 'stack', stack, false);
  return error;
}

/** What a job throws to be understood by its worker is told by its code. */
function revive({ code, delay }: SerializedError['fields'], message: string, options: ErrorOptions): Error {
  if (code === 'remote_exception') return new RemoteException(message, options);
  if (typeof delay === 'number' || typeof delay === 'string') {
    if (code === 'snooze') return new Snooze(delay);
    if (code === 'retry_after') return new RetryAfter(delay, message, options);
  }
  return new Error(message, options);
}

const nothing = { stack: undefined, cause: undefined, fields: {} };
const own = new Set(['name', 'message', 'stack', 'cause']);

function plainFields(error: Error): Record<string, Plain> {
  const fields: Record<string, Plain> = {};
  for (const [key, value] of Object.entries(error)) {
    if (!own.has(key) && isPlain(value)) define(fields, key, value, true);
  }
  return fields;
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** Unlike an assignment it minds no setter, getter or `__proto__`. */
function define(target: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}
